declare module 'dcmjs' {
  type Elements = Record<string, { vr: string; Value?: unknown[] }>;
  class DicomDict {
    constructor(meta: Elements);
    dict: Elements;
    write(options?: { fragmentMultiframe?: boolean; allowInvalidVRLength?: boolean }): ArrayBuffer;
  }
  const dcmjs: {
    data: {
      DicomDict: typeof DicomDict;
      DicomMetaDictionary: { nameMap: Record<string, { tag: string; vr: string; name: string }> };
      DicomMessage: { readFile(file: ArrayBuffer): { meta: Elements; dict: Elements } };
    };
    log: { getLogger(name: string): { setLevel(level: string): void } };
  };
  export default dcmjs;
}
