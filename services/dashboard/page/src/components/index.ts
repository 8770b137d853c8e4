// What views are made of.
export { announce, Announcements } from './announce';
export { Badge, Colour, Grade, Level, RANK, roman, type Tone } from './Badge';
export { Button, Field, type ControlProps } from './Button';
export { Dialog } from './Dialog';
export { isTyping, useKeys } from './keys';
export { NARROW, width } from './media';
export { Banner, Empty, ErrorNote, errorText, Spinner, Toolbar } from './Notes';
export { PageTitle } from './PageTitle';
export { sorted, Table, type Column, type Sort } from './Table';
export { Tabs, type Tab } from './Tabs';
export { Countdown, Moment } from './Time';
