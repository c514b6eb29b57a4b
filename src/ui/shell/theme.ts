import { signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

/** In memory only: a reload follows the system again. */
export const theme = signal<Theme>('system');

theme.subscribe((chosen) => {
  if (chosen === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
});

const DARK = matchMedia('(prefers-color-scheme: dark)');
/** Counts changes of colours, for what draws with them. */
export const colours = signal(0);
theme.subscribe(() => {
  colours.value = colours.peek() + 1;
});
DARK.addEventListener('change', () => {
  colours.value = colours.peek() + 1;
});
