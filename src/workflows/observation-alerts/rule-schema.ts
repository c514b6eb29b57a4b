import * as z from 'zod';

export const LOINC = 'http://loinc.org';

/** Properties of limits: a value beyond any of them alerts. */
export const LIMITS = ['above', 'atLeast', 'below', 'atMost'] as const;
/** Properties of differences from the previous result, by an amount. By percents: `risePercent` and so on. */
export const MOVEMENTS = ['rise', 'fall', 'change'] as const;

/** The kinds of conditions, with their properties. A rule has one kind. */
export const CONDITIONS = {
  limits: LIMITS,
  outsideReferenceRange: ['outsideReferenceRange'],
  interpretation: ['interpretation'],
  delta: [...MOVEMENTS, ...MOVEMENTS.map((name) => `${name}Percent` as const)],
} as const;

const NAME = /^[a-z][a-z0-9-]{0,62}$/;
const WITHIN = /^([1-9]\d{0,4})([mhd])$/;
const MS = { m: 60_000, h: 3_600_000, d: 24 * 3_600_000 };
const MAX_WITHIN_MS = 366 * MS.d;
/** Codes of HL7's ObservationInterpretation that may raise an alert. */
const INTERPRETATIONS = ['A', 'AA', 'H', 'HH', 'HU', 'L', 'LL', 'LU', 'POS', 'DET', 'R'] as const;

// The messages say what is allowed; `rules.ts` puts what was found before them.
const text = (error: string) => z.string({ error }).trim().min(1, { error }).max(200, { error });
const number = z.number({ error: 'a number' }).optional();
const positive = (error: string, max = Number.MAX_VALUE) =>
  z.number({ error }).positive({ error }).max(max, { error }).optional();
const amount = positive('a number over 0');
const percent = positive('a number over 0, of percent', 1e6);
const CHARGE = { error: 'a whole number from 1 to 10' };
const note = z.string({ error: 'a text' }).optional();

const loinc = z
  .string({ error: 'a LOINC code' })
  .refine(isLoinc, { error: "a LOINC code, with its check digit, as '2823-3'" });
const coding = z.strictObject({
  system: text('the URI of a code system'),
  code: text('a code of that system'),
});
const CODES = 'a LOINC code, { system, code }, or a list of them';
const code = z.union([loinc, coding], { error: 'a LOINC code or { system, code }' });
const codes = z.union([loinc, coding, z.array(code, { error: CODES }).min(1, { error: CODES })], { error: CODES });

const rule = z.strictObject(
  {
    name: z
      .string({ error: "a name of a-z, 0-9 and '-'" })
      .regex(NAME, { error: "1 to 63 of a-z, 0-9 and '-', a letter first" }),
    code: codes,
    component: codes.optional(),
    above: number,
    atLeast: number,
    below: number,
    atMost: number,
    unit: text('a unit of UCUM').optional(),
    outsideReferenceRange: z.literal(true, { error: 'true' }).optional(),
    interpretation: z
      .array(z.enum(INTERPRETATIONS, { error: `one of ${INTERPRETATIONS.join(', ')}` }), { error: 'a list of codes' })
      .min(1, { error: 'a list of one code or more' })
      .optional(),
    rise: amount,
    fall: amount,
    change: amount,
    risePercent: percent,
    fallPercent: positive('a number from 0 to 100, of percent', 100),
    changePercent: percent,
    within: z
      .string({ error: "a time, as '48h'" })
      .refine(isWithin, { error: "a time of up to 366 days, as '30m', '48h' or '7d'" })
      .optional(),
    severity: z.enum(['info', 'warning', 'critical'], { error: "'info', 'warning' or 'critical'" }),
    preliminary: z.boolean({ error: 'true or false' }).optional(),
    molarMass: positive('a number over 0, in g/mol', 1e7),
    charge: z.int(CHARGE).min(1, CHARGE).max(10, CHARGE).optional(),
    note,
  },
  { error: 'a rule, an object' },
);

export const rulesFile = z.strictObject(
  { note, rules: z.array(rule, { error: 'a list of rules' }) },
  { error: '{ "rules": [ … ] }' },
);

/** A rule as people write it. */
export type RuleText = z.infer<typeof rule>;
export type CodesText = z.infer<typeof codes>;

/** Returns the length of a `within` in ms. */
export function msOf(within: string): number {
  const [, count = '', unit = 'm'] = WITHIN.exec(within) ?? [];
  return Number(count) * MS[unit as keyof typeof MS];
}

function isWithin(within: string): boolean {
  return WITHIN.test(within) && msOf(within) <= MAX_WITHIN_MS;
}

/** Returns whether `text` is a LOINC code. Its check digit (mod 10) finds nearly every typing error. */
function isLoinc(text: string): boolean {
  const [, digits = '', check = ''] = /^(\d{1,7})-(\d)$/.exec(text) ?? [];
  if (digits === '') return false;
  const sum = [...digits].reverse().reduce((total, digit, at) => {
    const value = at % 2 === 0 ? 2 * Number(digit) : Number(digit);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return (10 - (sum % 10)) % 10 === Number(check);
}
