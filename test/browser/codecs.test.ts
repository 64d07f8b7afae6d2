import { describe, test } from 'vitest';
import { compressedImages, expectDecoded } from '../support/compressed-images.ts';

describe('in Chromium every codec gives what it gives in Node', async () => {
  test.each(await compressedImages())('%s', expectDecoded);
});
