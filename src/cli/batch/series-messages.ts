import type { ErrorMessage } from '../../browser/error-message.ts';
import type { SegmentationReport } from '../documents.ts';
import type { SegmentRequest } from '../segment-request.ts';

/** To a process that segments series: each but the abort is answered once, in order. */
export type SeriesRequest =
  | { readonly kind: 'open'; readonly model: Pick<SegmentRequest, 'model' | 'backend' | 'threads'> }
  | { readonly kind: 'segment'; readonly request: SegmentRequest; readonly fingerprint: string }
  | { readonly kind: 'abort' };

export type SeriesReply =
  | { readonly kind: 'opened' }
  | { readonly kind: 'done'; readonly report: SegmentationReport }
  | { readonly kind: 'failed'; readonly error: ErrorMessage };
