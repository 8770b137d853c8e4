// A button, and what a form is made of.
import { cloneElement, isValidElement, type ComponentChildren, type JSX, type VNode } from 'preact';
import { useId } from 'preact/hooks';
import { t } from '../i18n';

type ButtonProps = JSX.ButtonHTMLAttributes<HTMLButtonElement> & {
  kind?: 'primary' | 'plain' | 'quiet' | 'danger';
  /** While something runs: the button stays in place and takes no click. */
  busy?: boolean;
  type?: 'button' | 'submit' | 'reset';
  disabled?: boolean;
  children?: ComponentChildren;
};

export function Button({ kind = 'plain', busy = false, type = 'button', disabled, onClick, children, class: more, ...rest }: ButtonProps): JSX.Element {
  return (
    <button
      {...rest}
      type={type}
      class={`button ${kind}${more ? ` ${String(more)}` : ''}`}
      disabled={disabled}
      aria-disabled={busy || undefined}
      aria-busy={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
    >
      {children}
    </button>
  );
}

export interface ControlProps {
  id: string;
  'aria-describedby'?: string;
  'aria-invalid'?: boolean;
}

interface FieldProps {
  label: ComponentChildren;
  hint?: ComponentChildren;
  /** What is wrong with it, in words. */
  error?: ComponentChildren;
  required?: boolean;
  /** One control, or a function that makes it from its id and descriptions. */
  children: VNode | ((control: ControlProps) => ComponentChildren);
}

/** A control with its label, hint and error. */
export function Field({ label, hint, error, required, children }: FieldProps): JSX.Element {
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ');
  const control: ControlProps = { id };
  if (described) control['aria-describedby'] = described;
  if (error) control['aria-invalid'] = true;
  return (
    <div class={`field${error ? ' wrong' : ''}`}>
      <label for={id}>
        {label}
        {required && <span class="required"> ({t('required')})</span>}
      </label>
      {typeof children === 'function' ? children(control) : isValidElement(children) ? cloneElement(children, { ...control }) : children}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="error" id={`${id}-error`} role="alert">
          {error}
        </p>
      )}
    </div>
  );
}
