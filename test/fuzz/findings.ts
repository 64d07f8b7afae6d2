/** What one input may cost: CPU time, and memory over what the process had before the first. */
export const MAX_CPU_MS = 2000;
export const MAX_GROWTH_BYTES = 2 ** 30;

/** An input that did what none may. `--reproduce <target>:<seed>:<index>` makes it again. */
export interface Finding {
  /** untyped: thrown without a code; slow, hang: over the CPU time, ended or not; memory; end: the process ended. */
  readonly kind: 'untyped' | 'slow' | 'hang' | 'memory' | 'end';
  readonly index: number;
  readonly message: string;
}

/** What a process tells of a range of inputs. */
export interface RangeReport {
  /** The first input that was not run. */
  readonly next: number;
  readonly accepted: number;
  /** Inputs by the code of their typed error. */
  readonly refused: Readonly<Record<string, number>>;
  readonly slowestCpuMs: number;
  readonly mostGrowthBytes: number;
  readonly findings: readonly Finding[];
}
