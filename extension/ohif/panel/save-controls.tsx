import { useRef, type ReactElement } from 'react';
import type { Actions } from '../slicewise.ts';
import type { PanelState, SegmentationEntry } from '../state.ts';
import type { DownloadFormat } from '../store/save-outcome.ts';
import { texts } from '../texts.ts';
import { CheckIcon } from './icons.tsx';

interface SaveControlsProps {
  readonly segmentation: SegmentationEntry;
  readonly save: PanelState['save'];
  readonly actions: Actions;
}

const FORMATS: readonly DownloadFormat[] = ['seg-binary', 'seg-labelmap', 'nifti'];

/** To the PACS, or as a file; and whether the PACS has what is here. */
export function SaveControls({ segmentation, save, actions }: SaveControlsProps): ReactElement {
  const { segmentationId, saveState, canSave } = segmentation;
  return (
    <section className="sw-save">
      <div className="sw-buttons">
        <button
          type="button"
          className="sw-button sw-primary"
          disabled={!canSave.ok || save !== undefined}
          data-cy="slicewise-save"
          onClick={() => void actions.save(segmentationId)}
        >
          {texts.saveToPacs}
        </button>
        <DownloadMenu
          isDisabled={save !== undefined}
          onChoose={(format) => void actions.download(segmentationId, format)}
        />
      </div>
      {!canSave.ok && <p className="sw-quiet">{canSave.reason}</p>}
      <p className="sw-save-state" data-cy="slicewise-save-state">
        {save ? texts.saveStages[save.stage] : texts.saveStates[saveState]}
        {!save && saveState === 'saved' && <CheckIcon />}
        <strong>{texts.researchOnly}</strong>
      </p>
    </section>
  );
}

interface DownloadMenuProps {
  readonly isDisabled: boolean;
  readonly onChoose: (format: DownloadFormat) => void;
}

function DownloadMenu({ isDisabled, onChoose }: DownloadMenuProps): ReactElement {
  const menu = useRef<HTMLDetailsElement>(null);
  const close = (): void => {
    menu.current?.removeAttribute('open');
  };
  return (
    <details
      ref={menu}
      className="sw-menu"
      onKeyDown={({ key }) => {
        if (key === 'Escape') close();
      }}
      onBlur={({ currentTarget, relatedTarget }) => {
        if (!currentTarget.contains(relatedTarget)) close();
      }}
    >
      <summary className="sw-button" data-cy="slicewise-download">
        {texts.download}
      </summary>
      <ul>
        {FORMATS.map((format) => (
          <li key={format}>
            <button
              type="button"
              disabled={isDisabled}
              data-cy={`slicewise-download-${format}`}
              onClick={() => {
                close();
                onChoose(format);
              }}
            >
              {texts.formats[format]}
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}
