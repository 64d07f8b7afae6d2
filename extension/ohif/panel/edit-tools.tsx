import type { ReactElement } from 'react';
import { texts } from '../texts.ts';
import type { EditTool } from '../viewer.ts';

interface EditToolsProps {
  readonly active: EditTool | undefined;
  readonly onChoose: (tool: EditTool) => void;
}

const TOOLS: readonly EditTool[] = ['brush', 'eraser', 'threshold', 'scissors'];

/** The viewer's own tools, the most used of them; its segmentation tab has them all. */
export function EditTools({ active, onChoose }: EditToolsProps): ReactElement {
  return (
    <div className="sw-segmented" role="group" aria-label={texts.correct}>
      {TOOLS.map((tool) => (
        <button
          key={tool}
          type="button"
          className={tool === active ? 'sw-chosen' : ''}
          aria-pressed={tool === active}
          title={texts.editToolTitles[tool]}
          data-cy={`slicewise-tool-${tool}`}
          onClick={() => {
            onChoose(tool);
          }}
        >
          {texts.editTools[tool]}
        </button>
      ))}
    </div>
  );
}
