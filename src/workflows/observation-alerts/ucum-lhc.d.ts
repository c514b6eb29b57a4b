/** What we use of the library, which brings no types. */
declare module '@lhncbc/ucum-lhc' {
  export type Options = { readonly molecularWeight?: number; readonly charge?: number };

  export class UcumLhcUtils {
    static getInstance(): UcumLhcUtils;
    /** `invalid` also where it would guess what was meant. */
    validateUnitString(unit: string): { status: 'valid' | 'invalid' | 'error' };
    convertUnitTo(
      from: string,
      value: number,
      to: string,
      options?: Options,
    ): { status: 'succeeded' | 'failed' | 'error'; toVal: number | null };
  }
}
