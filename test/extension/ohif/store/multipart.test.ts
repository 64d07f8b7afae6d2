import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dicomMultipart, onlyPart } from '../../../../extension/ohif/store/multipart.ts';

async function bytesOf(blob: Blob): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await blob.arrayBuffer());
}

test('any bytes that are wrapped are unwrapped again', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 50 })), async (chunks) => {
      const parts = chunks.map((chunk) => Uint8Array.from(chunk));
      const { contentType, body } = dicomMultipart(parts);
      expect(onlyPart(await bytesOf(body), contentType)).toEqual(Uint8Array.from(parts.flatMap((part) => [...part])));
    }),
  );
});

test('a request is what dcmjs, Orthanc and dicomweb-client read: CRLF, a type, a boundary in both places', async () => {
  const { contentType, body } = dicomMultipart([new Uint8Array([1, 2]), new Uint8Array([3])]);
  const boundary = /^multipart\/related; type="application\/dicom"; boundary=(\S+)$/.exec(contentType)?.[1] ?? '';
  expect(boundary).toMatch(/^[\w-]{1,70}$/);
  expect(await body.text()).toBe(
    `--${boundary}\r\nContent-Type: application/dicom\r\n\r\n\u0001\u0002\u0003\r\n--${boundary}--\r\n`,
  );
});

const text = (value: string) => new TextEncoder().encode(value);

test.each([
  ['quoted', 'multipart/related; type="application/dicom"; boundary="b =1"', '--b =1\r\n\r\nDICM\r\n--b =1--'],
  ['bare', 'Multipart/Related;boundary=b1;type=application/dicom', '--b1\r\nA: b\r\n\r\nDICM\r\n--b1--\r\n'],
  ['after a preamble', 'multipart/related; boundary=b1', 'ignored\r\n--b1\r\nA: b\r\n\r\nDICM\r\n--b1--\r\n'],
])('a boundary is found %s', (_, contentType, body) => {
  expect(new TextDecoder().decode(onlyPart(text(body), contentType))).toBe('DICM');
});

test('an answer of one part is taken as it is', () => {
  expect(onlyPart(text('DICM'), 'application/dicom')).toEqual(text('DICM'));
});

test.each([
  ['without a boundary', 'multipart/related; type="application/dicom"', '--b1\r\n\r\nDICM\r\n--b1--'],
  ['of another boundary', 'multipart/related; boundary=b2', '--b1\r\n\r\nDICM\r\n--b1--'],
  ['that breaks off', 'multipart/related; boundary=b1', '--b1\r\n\r\nDICM'],
  ['without an end of headers', 'multipart/related; boundary=b1', '--b1\r\nDICM\r\n--b1--'],
])('an answer %s is refused', (_, contentType, body) => {
  expect(() => onlyPart(text(body), contentType)).toThrow(expect.objectContaining({ code: 'pacs-refused' }) as Error);
});
