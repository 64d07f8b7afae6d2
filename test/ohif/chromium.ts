import { chromium, type Browser } from 'playwright';

export interface LaunchOptions {
  /** The adapter that SwiftShader imitates, none (the API is there, as on most servers), or no API at all. */
  readonly webGpu?: 'software' | 'no-adapter';
}

/** A browser with WebGL in software; it reaches nothing but this machine. */
export function launchChromium({ webGpu = 'no-adapter' }: LaunchOptions = {}): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--use-angle=swiftshader',
      '--enable-unsafe-swiftshader',
      '--ignore-gpu-blocklist',
      ...(webGpu === 'software' ? ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'] : []),
    ],
  });
}
