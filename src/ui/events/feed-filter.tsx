type FeedFilterProps = {
  readonly label: string;
  readonly all: string;
  readonly values: readonly string[];
  readonly chosen: string;
  readonly onChoose: (value: string) => void;
};

/** Lets a person choose one of the values seen so far, or all values. */
export function FeedFilter({ label, all, values, chosen, onChoose }: FeedFilterProps) {
  const known = [...new Set([...values, chosen])].filter((value) => value !== '').sort();
  return (
    <label>
      <span class="only-read">{label}</span>
      <select value={chosen} onChange={(event) => onChoose(event.currentTarget.value)}>
        <option value="">{all}</option>
        {known.map((value) => (
          <option key={value} value={value}>
            {value}
          </option>
        ))}
      </select>
    </label>
  );
}
