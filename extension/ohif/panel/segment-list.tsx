import type { ReactElement } from 'react';
import type { Rgba } from '../host.ts';
import type { Actions } from '../slicewise.ts';
import type { SegmentationEntry, SegmentRow } from '../state.ts';
import { texts } from '../texts.ts';
import type { SegmentChange } from '../viewer.ts';
import { EyeIcon, EyeOffIcon, LockIcon, UnlockIcon } from './icons.tsx';

interface SegmentListProps {
  readonly segmentation: SegmentationEntry;
  readonly actions: Actions;
}

/** The segments with their figures. The active one, which tools edit, is marked and can be made more or less opaque. */
export function SegmentList({ segmentation, actions }: SegmentListProps): ReactElement {
  const { segmentationId, segments } = segmentation;
  return (
    <ul className="sw-segments" aria-label={texts.segments}>
      {segments.map((segment) => (
        <Segment
          key={segment.segmentNumber}
          segment={segment}
          onGo={() => {
            actions.goToSegment(segmentationId, segment.segmentNumber);
          }}
          onChange={(change) => {
            actions.changeSegment(segmentationId, segment.segmentNumber, change);
          }}
        />
      ))}
    </ul>
  );
}

interface SegmentProps {
  readonly segment: SegmentRow;
  readonly onGo: () => void;
  readonly onChange: (change: SegmentChange) => void;
}

function Segment({ segment, onGo, onChange }: SegmentProps): ReactElement {
  const { segmentNumber, label, colour, isActive, isVisible, isLocked } = segment;
  return (
    <li
      className={isActive ? 'sw-segment sw-segment-active' : 'sw-segment'}
      aria-current={isActive}
      data-cy={`slicewise-segment-${segmentNumber}`}
    >
      <div className="sw-segment-head">
        <input
          type="color"
          className="sw-swatch"
          aria-label={texts.colour(label)}
          title={texts.colour(label)}
          value={toHex(colour)}
          onChange={({ target }) => {
            onChange({ colour: fromHex(target.value, colour) });
          }}
        />
        <button type="button" className="sw-segment-name" title={texts.goTo(label)} onClick={onGo}>
          {label}
        </button>
        <Toggle
          isOn={!isVisible}
          label={isVisible ? texts.hide(label) : texts.show(label)}
          onClick={() => {
            onChange({ isVisible: !isVisible });
          }}
        >
          {isVisible ? <EyeIcon /> : <EyeOffIcon />}
        </Toggle>
        <Toggle
          isOn={isLocked}
          label={isLocked ? texts.unlock(label) : texts.lock(label)}
          onClick={() => {
            onChange({ isLocked: !isLocked });
          }}
        >
          {isLocked ? <LockIcon /> : <UnlockIcon />}
        </Toggle>
      </div>
      <Figures segment={segment} />
      {isActive && (
        <label className="sw-opacity">
          {texts.opacity}
          <input
            type="range"
            min={0}
            max={100}
            step={5}
            aria-label={texts.opacityOf(label)}
            value={Math.round(segment.opacity * 100)}
            onChange={({ target }) => {
              onChange({ opacity: target.valueAsNumber / 100 });
            }}
          />
        </label>
      )}
    </li>
  );
}

interface ToggleProps {
  readonly isOn: boolean;
  readonly label: string;
  readonly onClick: () => void;
  readonly children: ReactElement;
}

/** Its label says what a click does, so it is no `aria-pressed` button: both would contradict each other. */
function Toggle({ isOn, label, onClick, children }: ToggleProps): ReactElement {
  return (
    <button
      type="button"
      className={isOn ? 'sw-icon-button sw-on' : 'sw-icon-button'}
      aria-label={label}
      title={label}
      onClick={onClick}
    >
      {children}
    </button>
  );
}

function Figures({ segment: { figures } }: { readonly segment: SegmentRow }): ReactElement | null {
  if (figures === undefined) return null;
  const { volumeMl, lacks, mean, standardDeviation = 0, unit } = figures;
  return (
    <p className="sw-figures sw-number">
      <span data-cy="slicewise-volume">
        {mean === undefined ? texts.empty : lacks === '' ? texts.volumeMl(volumeMl) : texts.lowerBoundMl(volumeMl)}
      </span>
      {mean !== undefined && (
        <span title={texts.meanTitle}>{texts.meanAndDeviation(mean, standardDeviation, unit)}</span>
      )}
      {lacks !== '' && (
        <span className="sw-lacks" title={texts.lowerBoundTitle(lacks)}>
          {lacks}
        </span>
      )}
    </p>
  );
}

function toHex([red, green, blue]: Rgba): string {
  return `#${[red, green, blue].map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

function fromHex(hex: string, [, , , alpha]: Rgba): Rgba {
  const channel = (at: number): number => parseInt(hex.slice(at, at + 2), 16);
  return [channel(1), channel(3), channel(5), alpha];
}
