import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/judges/**', 'test/e2e/**', 'test/browser/**', 'test/quality/cardiac-mr.test.ts'],
          testTimeout: 30_000,
        },
      },
      { test: { name: 'judges', include: ['test/judges/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 300_000 } },
      {
        test: {
          name: 'quality',
          include: ['test/quality/cardiac-mr.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 60_000,
        },
      },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], testTimeout: 300_000, hookTimeout: 300_000 } },
    ],
  },
});
