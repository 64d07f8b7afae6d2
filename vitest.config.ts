import { existsSync } from 'node:fs';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';

const chromium = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const needsBrowser = existsSync(chromium) || process.env['CI'] !== undefined;
if (!needsBrowser) console.warn(`Skipped: the browser tests. There is no ${chromium}; set CHROMIUM, or install it.`);

interface BrowserProject {
  readonly name: string;
  readonly include: string;
  readonly headers?: Record<string, string>;
  readonly chromiumArguments?: readonly string[];
}

function browserProject({ name, include, headers = {}, chromiumArguments = [] }: BrowserProject) {
  return {
    optimizeDeps: { exclude: ['onnxruntime-web'] },
    server: { headers },
    test: {
      name,
      include: [include],
      testTimeout: 240_000,
      hookTimeout: 60_000,
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        // On a busy machine the first bundle of the dependencies takes longer than the usual minute.
        connectTimeout: 240_000,
        provider: playwright({
          launchOptions: {
            executablePath: chromium,
            args: [
              '--no-sandbox',
              '--disable-quic',
              '--no-first-run',
              '--disable-background-networking',
              '--disable-component-update',
              '--disable-sync',
              ...chromiumArguments,
            ],
          },
        }),
        instances: [{ browser: 'chromium' as const }],
      },
    },
  };
}

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [
            'test/{judges,e2e,browser,ohif,package}/**',
            'test/quality/{abdomen-ct,cardiac-mr,not-meant-for,recorded-figures}.test.ts',
          ],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      { test: { name: 'judges', include: ['test/judges/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 300_000 } },
      {
        test: {
          name: 'quality',
          include: ['test/quality/{abdomen-ct,cardiac-mr,not-meant-for,recorded-figures}.test.ts'],
          testTimeout: 900_000,
          hookTimeout: 120_000,
        },
      },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], testTimeout: 300_000, hookTimeout: 300_000 } },
      ...(needsBrowser
        ? [
            // A plain page: no graphics card, not cross-origin isolated.
            browserProject({ name: 'browser', include: 'test/browser/*.test.ts' }),
            browserProject({
              name: 'browser-webgpu',
              include: 'test/browser/webgpu/*.test.ts',
              headers: {
                'Cross-Origin-Opener-Policy': 'same-origin',
                'Cross-Origin-Embedder-Policy': 'require-corp',
              },
              chromiumArguments: ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
            }),
            browserProject({
              name: 'browser-cornerstone',
              include: 'test/browser/cornerstone/*.test.ts',
              chromiumArguments: ['--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist'],
            }),
            {
              test: {
                name: 'package',
                include: ['test/package/*.test.ts'],
                testTimeout: 240_000,
                hookTimeout: 400_000,
                sequence: { groupOrder: 2 },
              },
            },
            {
              test: {
                name: 'ohif',
                include: ['test/ohif/**/*.test.ts'],
                testTimeout: 600_000,
                hookTimeout: 300_000,
                // OHIF draws in software here: what a user sees within a moment takes seconds.
                expect: { poll: { timeout: 20_000 } },
                fileParallelism: false,
                // After all others: a viewer, a model and an archive want the machine for themselves.
                sequence: { groupOrder: 1 },
              },
            },
          ]
        : []),
    ],
  },
});
