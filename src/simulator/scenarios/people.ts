import type { Random } from '../../clock.js';
import { between, pick, type Resource } from './scenario.js';

const GIVEN = {
  female: ['Ada', 'Mei', 'Fatima', 'Lucía', 'Zoë', 'Ingrid'],
  male: ['Noah', 'Kofi', 'Wei', 'Björn', 'Raj', 'José'],
};
const FAMILY = ['Okafor', 'Lindqvist', 'Nguyen', 'Garcia', 'Müller', "O'Brien", 'Kowalski', 'Haddad', 'Sato', 'Novák'];
const STREETS = ['Mill Lane', 'Station Road', 'Harbour Street', 'Elm Avenue'];
const CITIES = ['Northfield', 'Easton', 'Riverside', 'Hillview'];
const MRN_SYSTEM = 'http://simulator.example/mrn';

export function makePatient(random: Random): Resource {
  const gender = pick(random, ['female', 'male'] as const);
  return {
    resourceType: 'Patient',
    identifier: [{ use: 'usual', system: MRN_SYSTEM, value: `M${between(random, 10_000_000, 99_999_999)}` }],
    active: true,
    name: [{ use: 'official', family: pick(random, FAMILY), given: [pick(random, GIVEN[gender])] }],
    gender,
    birthDate: `${between(random, 1930, 2020)}-${twoDigits(between(random, 1, 12))}-${twoDigits(between(random, 1, 28))}`,
    address: [makeAddress(random)],
  };
}

export function makeAddress(random: Random): Record<string, unknown> {
  return {
    line: [`${between(random, 1, 200)} ${pick(random, STREETS)}`],
    city: pick(random, CITIES),
    postalCode: String(between(random, 10_000, 99_999)),
  };
}

function twoDigits(n: number): string {
  return String(n).padStart(2, '0');
}
