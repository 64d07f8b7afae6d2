import type { CSSProperties, ReactElement } from 'react';
import type { Actions } from '../slicewise.ts';
import type { SegmentationEntry, SegmentRow } from '../state.ts';
import { texts } from '../texts.ts';
import type { Rgba } from '../host.ts';
import { EyeIcon, EyeOffIcon, LockIcon, UnlockIcon } from './icons.tsx';

interface SegmentTableProps {
  readonly segmentation: SegmentationEntry;
  readonly actions: Actions;
}

/** One row a segment. The active one, which tools edit, is marked and has its opacity below. */
export function SegmentTable({ segmentation, actions }: SegmentTableProps): ReactElement {
  const { segmentationId, segments } = segmentation;
  return (
    <table className="sw-segments">
      <thead>
        <tr>
          <th scope="col">{texts.columns.segment}</th>
          <th scope="col" className="sw-number">
            {texts.columns.volume}
          </th>
          <th scope="col" className="sw-number">
            {texts.columns.mean}
          </th>
          <th scope="col">
            <span className="sw-hidden">{texts.columns.state}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {segments.map((segment) => (
          <Row key={segment.segmentNumber} segmentationId={segmentationId} segment={segment} actions={actions} />
        ))}
      </tbody>
    </table>
  );
}

interface RowProps {
  readonly segmentationId: string;
  readonly segment: SegmentRow;
  readonly actions: Actions;
}

function Row({ segmentationId, segment, actions }: RowProps): ReactElement {
  const { segmentNumber, label, figures, isActive, isVisible, isLocked } = segment;
  const change = (to: Parameters<Actions['changeSegment']>[2]): void => {
    actions.changeSegment(segmentationId, segmentNumber, to);
  };
  return (
    <>
      <tr
        className={isActive ? 'sw-active' : ''}
        aria-current={isActive}
        data-cy={`slicewise-segment-${segmentNumber}`}
      >
        <th scope="row">
          <span className="sw-segment-name">
            <input
              type="color"
              className="sw-swatch"
              aria-label={texts.colour(label)}
              value={toHex(segment.colour)}
              onChange={({ target }) => {
                change({ colour: fromHex(target.value, segment.colour) });
              }}
            />
            <button
              type="button"
              className="sw-link"
              title={texts.jumpTo(label)}
              onClick={() => {
                actions.goToSegment(segmentationId, segmentNumber);
              }}
            >
              {label}
            </button>
          </span>
        </th>
        <td className="sw-number" data-cy="slicewise-volume">
          {figures ? texts.volumeMl(figures.volumeMl) : texts.none}
        </td>
        <td className="sw-number">
          {figures?.mean === undefined
            ? texts.none
            : texts.meanAndDeviation(figures.mean, figures.standardDeviation ?? 0)}
        </td>
        <td className="sw-toggles">
          <button
            type="button"
            className="sw-icon-button"
            aria-pressed={!isVisible}
            aria-label={isVisible ? texts.hide(label) : texts.show(label)}
            title={isVisible ? texts.hide(label) : texts.show(label)}
            onClick={() => {
              change({ isVisible: !isVisible });
            }}
          >
            {isVisible ? <EyeIcon /> : <EyeOffIcon />}
          </button>
          <button
            type="button"
            className="sw-icon-button"
            aria-pressed={isLocked}
            aria-label={isLocked ? texts.unlock(label) : texts.lock(label)}
            title={isLocked ? texts.unlock(label) : texts.lock(label)}
            onClick={() => {
              change({ isLocked: !isLocked });
            }}
          >
            {isLocked ? <LockIcon /> : <UnlockIcon />}
          </button>
        </td>
      </tr>
      {isActive && (
        <tr className="sw-active sw-opacity">
          <td colSpan={4}>
            <label>
              {texts.opacity}
              <input
                type="range"
                min={0}
                max={100}
                step={5}
                aria-label={texts.opacityOf(label)}
                value={Math.round(segment.opacity * 100)}
                style={{ '--sw-colour': `rgb(${segment.colour.slice(0, 3).join(' ')})` } as CSSProperties}
                onChange={({ target }) => {
                  change({ opacity: target.valueAsNumber / 100 });
                }}
              />
            </label>
          </td>
        </tr>
      )}
    </>
  );
}

function toHex([red, green, blue]: Rgba): string {
  return `#${[red, green, blue].map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

function fromHex(hex: string, [, , , alpha]: Rgba): Rgba {
  const channel = (at: number): number => parseInt(hex.slice(at, at + 2), 16);
  return [channel(1), channel(3), channel(5), alpha];
}
