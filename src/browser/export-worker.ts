import { toErrorMessage } from './protocol.ts';
import type { ExportRequest, ExportResponse } from './export-client.ts';
import { createLabelmapExport, type LabelmapExport } from './labelmap-export.ts';

/** The module worker behind `openLabelmapExport`: one labelmap a worker, its calls one after the other. */

/** The part of a dedicated worker's global scope that is needed; its own types clash with the page's. */
const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<ExportRequest>) => void;
  postMessage(message: ExportResponse, transfer: Transferable[]): void;
};

let labelmap: LabelmapExport | undefined;

scope.onmessage = ({ data: request }) => {
  void answer(request).then(
    ({ value, transfer }) => {
      scope.postMessage({ id: request.id, value }, transfer);
    },
    (error: unknown) => {
      scope.postMessage({ id: request.id, error: toErrorMessage(error) }, []);
    },
  );
};

interface Answer {
  readonly value: unknown;
  readonly transfer: Transferable[];
}

async function answer(request: ExportRequest): Promise<Answer> {
  if (request.method === 'open') {
    labelmap = createLabelmapExport(...request.args);
    return { value: undefined, transfer: [] };
  }
  if (labelmap === undefined) throw new TypeError('no labelmap was opened');
  switch (request.method) {
    case 'labels':
      return { value: labelmap.labels(), transfer: [] };
    case 'compareWithStored':
      return { value: await labelmap.compareWithStored(...request.args), transfer: [] };
    case 'encode': {
      const value = await labelmap.encode(...request.args);
      return { value, transfer: value.parts.map((part) => part.buffer) };
    }
    case 'verifyStored':
      return { value: await labelmap.verifyStored(...request.args), transfer: [] };
    case 'equals':
      return { value: labelmap.equals(...request.args), transfer: [] };
  }
}

// The first word: the page knows by it that the script runs. No call has this number.
scope.postMessage({ id: 0, value: undefined }, []);
