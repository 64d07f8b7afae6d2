import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { z } from 'zod';
import { GENERATED_FOLDER, generateSample, isGenerated, phaseName } from './generate.ts';
import { isMainModule } from './is-main-module.ts';

const ROOT = join(import.meta.dirname, '..');
const CLI = join(ROOT, 'dist', 'cli', 'main.js');

const evaluationSchema = z.object({
  labels: z.array(z.object({ label: z.number(), name: z.string().optional(), dice: z.number() })),
});

export type Evaluation = z.infer<typeof evaluationSchema>;

const HELP = `npm run demo -- [model]

Makes a synthetic heart, segments it with a model (an id or a folder; default cardiac-mr), and tells how well that went:
the truth is known. Writes to out/. Research use only: not a medical device.`;

/** `npm run demo`: the main job on the generated heart, as a user would type it, and how well it went.
 * @param model `npm run demo -- <id|folder>`
 * @returns the exit code of the step that failed, or 0 */
async function start(model = 'cardiac-mr'): Promise<number> {
  if (model === '--help' || model === '-h') {
    console.log(HELP);
    return 0;
  }
  if (!existsSync(CLI)) {
    console.error('Slicewise is not built yet. Run `npm ci` (or `npm run build`), then `npm run demo` again.');
    return 3;
  }
  if (!isGenerated(GENERATED_FOLDER)) {
    console.log('Making a synthetic heart with known labels (once, a few seconds) …');
    await generateSample(GENERATED_FOLDER);
  }
  const here = (path: string): string => relative(process.cwd(), path) || '.';
  const out = join(ROOT, 'out');
  await mkdir(out, { recursive: true });
  const series = join(GENERATED_FOLDER, 'dicom', phaseName(0));
  const files = { output: join(out, 'heart.dcm'), preview: join(out, 'heart.png'), report: join(out, 'heart.json') };

  const options = Object.entries(files).flatMap(([name, path]) => [`--${name}`, here(path)]);
  const segment = ['segment', here(series), '--model', model, ...options];
  console.log(`$ npx slicewise ${segment.join(' ')}\n`);
  const segmented = await runCli(segment, 'inherit');
  if (segmented.exitCode !== 0) return segmented.exitCode;

  const labels = join(GENERATED_FOLDER, 'nifti', phaseName(0), 'labels.nii.gz');
  const evaluated = await runCli(['evaluate', files.output, labels, '--json'], 'pipe');
  if (evaluated.exitCode !== 0) return evaluated.exitCode;
  const evaluation = evaluationSchema.parse(JSON.parse(evaluated.stdout));
  const { title } = z
    .object({ model: z.object({ title: z.string() }) })
    .parse(JSON.parse(await readFile(files.report, 'utf8'))).model;
  console.log(`\n${closingLines(title, evaluation, here(files.preview), here(files.output)).join('\n')}`);
  return 0;
}

/** Three lines: how well it went, where to look, what it is not. */
export function closingLines(
  modelTitle: string,
  evaluation: Evaluation,
  preview: string,
  segmentation: string,
): string[] {
  const dice = evaluation.labels.map(({ label, name, dice }) => `${name ?? `label ${label}`} ${dice.toFixed(2)}`);
  return [
    `${modelTitle} has never seen this heart. Dice against its known labels: ${dice.join(', ')} (1 is perfect).`,
    `Look at ${preview}; open ${segmentation} beside the series in any DICOM viewer; then try your own folder of DICOM files.`,
    'Research use only: not a medical device. The heart is synthetic; real ones are harder.',
  ];
}

function runCli(
  args: readonly string[],
  stdout: 'inherit' | 'pipe',
): Promise<{ readonly exitCode: number; readonly stdout: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', stdout, 'inherit'] });
    const chunks: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ exitCode: code ?? 1, stdout: Buffer.concat(chunks).toString('utf8') });
    });
  });
}

if (isMainModule(import.meta.url)) process.exitCode = await start(process.argv[2]);
