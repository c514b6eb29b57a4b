import { signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

/** The theme stays in memory only: after a reload the page follows the system again. */
export const theme = signal<Theme>('system');

theme.subscribe((chosen) => {
  if (chosen === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
});

const DARK = matchMedia('(prefers-color-scheme: dark)');
/** Counts the changes of colours, because charts then draw again. */
export const colours = signal(0);
theme.subscribe(() => {
  colours.value = colours.peek() + 1;
});
DARK.addEventListener('change', () => {
  colours.value = colours.peek() + 1;
});
