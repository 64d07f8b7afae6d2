/** A new DICOM UID from a random UUID: 2.25 and the UUID as one integer, no registered root needed (PS3.5 B.2). */
export function createUid(): string {
  return `2.25.${BigInt(`0x${crypto.randomUUID().replaceAll('-', '')}`).toString()}`;
}
