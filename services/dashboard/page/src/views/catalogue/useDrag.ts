// Moves what is scrolled in a frame by dragging it with the mouse; fingers and wheels do so by themselves.
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

const MOVED = 4; // CSS pixels from which on it was no click

/** Answers what tells whether the click that comes now only ended a drag. */
export function useDrag(frame: RefObject<HTMLElement>): () => boolean {
  const moved = useRef(false);
  useEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    let from: { x: number; y: number; left: number; top: number } | null = null;
    const down = (event: PointerEvent): void => {
      moved.current = false;
      if (event.pointerType !== 'mouse' || event.button !== 0) return;
      from = { x: event.clientX, y: event.clientY, left: element.scrollLeft, top: element.scrollTop };
    };
    const move = (event: PointerEvent): void => {
      if (!from) return;
      const [x, y] = [event.clientX - from.x, event.clientY - from.y];
      if (Math.abs(x) + Math.abs(y) > MOVED) moved.current = true;
      element.scrollLeft = from.left - x;
      element.scrollTop = from.top - y;
    };
    const up = (): void => {
      from = null;
    };
    element.addEventListener('pointerdown', down);
    window.addEventListener('pointermove', move);
    window.addEventListener('pointerup', up);
    return () => {
      element.removeEventListener('pointerdown', down);
      window.removeEventListener('pointermove', move);
      window.removeEventListener('pointerup', up);
    };
  }, []);
  return () => moved.current;
}
