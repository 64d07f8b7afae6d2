declare module 'dicom-character-set' {
  /** @param specificCharacterSet (0008,0005) as stored, values parted by backslashes
   * @throws Error if the character set is unknown or the bytes break its rules */
  export function convertBytes(
    specificCharacterSet: string | undefined,
    bytes: Uint8Array,
    options?: { readonly vr?: string },
  ): string;
}
