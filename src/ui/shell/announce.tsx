import { signal } from '@preact/signals';

const message = signal('');

/** Says the result of an action to a screen reader. Polled data is never announced. */
export function announce(text: string): void {
  message.value = text;
}

export function Announcer() {
  return (
    <p class="only-read" role="status">
      {message}
    </p>
  );
}
