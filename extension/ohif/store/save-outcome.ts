import type { Notice, SegmentationError } from '../../../src/index.ts';

/** What a save ended in; it never throws. "saved" is said only of an object that was read back and compared. */
export type SaveOutcome =
  | {
      readonly status: 'saved';
      readonly seriesInstanceUID: string;
      readonly sopInstanceUID: string;
      /** Something was changed while the save ran: the PACS has what was there when it began. */
      readonly editedMeanwhile: boolean;
      readonly warnings: readonly Notice[];
    }
  | {
      readonly status: 'failed';
      /** Message and remedy are for the user. */
      readonly error: SegmentationError;
      /** The PACS may hold an object that could not be confirmed; it is never deleted from here. */
      readonly mayBeStored: boolean;
    }
  | { readonly status: 'cancelled'; readonly mayBeStored: boolean };

export type SaveStage = 'preparing' | 'encoding' | 'sending' | 'reading-back';

/** Whether the PACS has what is in the viewer: `saved` until the next edit. */
export type SaveState = 'unsaved' | 'saved' | 'edited';

export type DownloadFormat = 'seg-binary' | 'seg-labelmap' | 'nifti';

export type Possibility = { readonly ok: true } | { readonly ok: false; readonly reason: string };
