import { openStudyIndex } from '../../server/dicom-web/study-index.ts';

/** Indexes the folder of the first argument, and prints what that found and took. */
const memoryMb = (): number => process.resourceUsage().maxRSS / 1024;
const before = { cpu: process.cpuUsage(), memory: memoryMb() };
const index = await openStudyIndex(process.argv[2] ?? '');
const { user, system } = process.cpuUsage(before.cpu);
console.log(
  JSON.stringify({
    instances: index.instances().length,
    ignored: [...index.ignoredFiles()],
    cpuMs: (user + system) / 1000,
    memoryMb: memoryMb() - before.memory,
  }),
);
