/** The parts of the library that the app uses. The library has no types. */
declare module '@lhncbc/ucum-lhc' {
  export type Options = { readonly molecularWeight?: number; readonly charge?: number };

  export class UcumLhcUtils {
    static getInstance(): UcumLhcUtils;
    /** Also `invalid` if the library would guess what was meant. */
    validateUnitString(unit: string): { status: 'valid' | 'invalid' | 'error' };
    convertUnitTo(
      from: string,
      value: number,
      to: string,
      options?: Options,
    ): { status: 'succeeded' | 'failed' | 'error'; toVal: number | null };
  }
}
