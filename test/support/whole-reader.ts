import { createDicomReader as createReader, dicomReader as dicom } from '../../src/series/dicom.ts';
import { niftiReader as nifti } from '../../src/nifti/read-nifti.ts';
import type { PixelDecoder } from '../../src/codecs/pixel-decoders.ts';
import type { ReadOptions, SeriesDescription, SourceFile, VolumeReader } from '../../src/io/reader.ts';
import { describeVolumes, readVolume, type ReadVolumeResult } from '../../src/series/read-volume.ts';

/** A reader behind the one search that everyone uses, which gets every file whether or not it accepts it. */
export interface WholeReader extends VolumeReader {
  describe(files: readonly SourceFile[]): Promise<readonly SeriesDescription[]>;
  read(files: readonly SourceFile[], options?: ReadOptions): Promise<ReadVolumeResult>;
}

export function wholeReader(reader: VolumeReader): WholeReader {
  const readers = [{ ...reader, accepts: () => true }];
  return {
    ...reader,
    describe: async (files) => (await describeVolumes(files, { readers })).series,
    read: (files, options) => readVolume(files, { ...options, readers }),
  };
}

export const dicomReader = wholeReader(dicom);
export const niftiReader = wholeReader(nifti);
export const createDicomReader = (decoders: readonly PixelDecoder[]): WholeReader =>
  wholeReader(createReader(decoders));
