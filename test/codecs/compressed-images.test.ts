import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compressedImages, expectDecoded } from '../support/compressed-images.ts';

describe('an image is decoded as its encoder’s own library does', async () => {
  const images = await compressedImages();

  test.each(images)('%s', expectDecoded);

  test('no file is left out', () => {
    const files = readdirSync(new URL('../fixtures/dicom/', import.meta.url)).filter((name) => name.endsWith('.dcm'));
    expect(images.map(([name]) => name).toSorted()).toEqual(files.toSorted());
  });
});
