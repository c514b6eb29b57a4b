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

/** A field of a form, and the name of its value among those that were entered. */
export type NamedField<Name extends string> = Omit<FieldProps, 'value' | 'onInput'> & { readonly name: Name };
type FieldsProps<Name extends string> = {
  readonly fields: readonly NamedField<Name>[];
  readonly entered: Readonly<Partial<Record<Name, string>>>;
  readonly onEnter: (name: Name, value: string) => void;
};

/** The text fields of a form. */
export function Fields<Name extends string>({ fields, entered, onEnter }: FieldsProps<Name>) {
  return (
    <>
      {fields.map(({ name, ...field }) => (
        <Field key={name} {...field} value={entered[name] ?? ''} onInput={(value) => onEnter(name, value)} />
      ))}
    </>
  );
}

type CheckProps = { readonly label: string; readonly value: boolean; readonly onInput: (value: boolean) => void };

/** A checkbox with its label. */
export function Check({ label, value, onInput }: CheckProps) {
  return (
    <label class="check">
      <input type="checkbox" checked={value} onChange={(event) => onInput(event.currentTarget.checked)} />
      {label}
    </label>
  );
}

type SelectProps = {
  readonly label: string;
  /** `hidden`: only for screen readers. Default: above the choice. */
  readonly labelIs?: 'hidden' | 'beside';
  readonly value: string;
  /** The values, each with its text. */
  readonly options: readonly (readonly [value: string, text: string])[];
  readonly onInput: (value: string) => void;
};

/** A choice of one value, with its label. */
export function Select({ label, labelIs, value, options, onInput }: SelectProps) {
  return (
    <label class={labelIs ? '' : 'field'}>
      <span class={labelIs === 'hidden' ? 'only-read' : ''}>{label}</span>{' '}
      <select value={value} onChange={(event) => onInput(event.currentTarget.value)}>
        {options.map(([one, text]) => (
          <option key={one} value={one}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
