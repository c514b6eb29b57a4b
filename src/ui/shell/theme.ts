import { signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

/** The theme stays in memory only: after a reload the page follows the system again. */
export const theme = signal<Theme>('system');

/** Counts the changes of colours, because charts then draw again. */
export const colours = signal(0);

theme.subscribe((chosen) => {
  document.documentElement.style.colorScheme = chosen === 'system' ? '' : chosen;
  countChange();
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', countChange);

function countChange(): void {
  colours.value = colours.peek() + 1;
}
