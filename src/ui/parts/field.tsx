import { useId } from 'preact/hooks';

type FieldProps = {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly type?: 'text' | 'number' | 'datetime-local';
  readonly note?: string;
  readonly problem?: string | undefined;
  readonly required?: boolean;
  readonly list?: string;
};

/** A text field with its label, a note, and the problem of its value. */
export function Field({ label, value, onInput, type = 'text', note, problem, required, list }: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type={type}
        value={value}
        list={list}
        required={required}
        autocomplete="off"
        aria-invalid={problem !== undefined}
        aria-describedby={`${id}-note`}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      <p id={`${id}-note`} class={problem === undefined ? 'quiet' : 'problem'}>
        {problem ?? note}
      </p>
    </div>
  );
}
