/** What a page can do to make a browser ask for an address. Runs in the page, so that it has nothing outside itself.
 * @param targets addresses, each with a query already
 * @param redirect of the page's own site: answers with a redirect to what follows, 302, or 307 where `&keep` ends it
 * @param instance a multipart/related message with a DICOM file, in Latin-1
 * @returns what the page could read, by the vector's name */
export async function runVectors({
  targets,
  redirect,
  instance,
}: {
  readonly targets: readonly string[];
  readonly redirect: string;
  readonly instance: { readonly contentType: string; readonly body: string };
}): Promise<Record<string, string>> {
  type Vector = (address: string) => string | Promise<string>;
  const patience = 2000;
  const settled = (element: Element): Promise<string> =>
    new Promise((resolve) => {
      for (const event of ['load', 'error', 'loadeddata'])
        element.addEventListener(event, () => {
          resolve(readFrame(element));
        });
      setTimeout(resolve, patience, '');
      document.body.append(element);
    });
  const readFrame = (element: Element): string => {
    try {
      return (element as HTMLIFrameElement).contentDocument?.documentElement.textContent ?? '';
    } catch {
      return '';
    }
  };
  const make = (tag: string, attributes: Readonly<Record<string, string>>): HTMLElement => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const element =
    (tag: string, address: string, more: Readonly<Record<string, string>> = {}): Vector =>
    (to) =>
      settled(make(tag, { [address]: to, ...more }));
  const style =
    (css: (to: string) => string): Vector =>
    async (to) => {
      const sheet = document.createElement('style');
      sheet.textContent = css(to);
      const shown = make('p', { id: 'shown', class: 'shown' });
      shown.textContent = 'shown';
      document.body.append(sheet, shown);
      await new Promise((resolve) => setTimeout(resolve, patience));
      return '';
    };
  const ask =
    (options: RequestInit): Vector =>
    async (to) =>
      (await fetch(to, options)).text();
  const askByXhr =
    (withCredentials: boolean): Vector =>
    (to) =>
      new Promise((resolve) => {
        const outgoing = new XMLHttpRequest();
        outgoing.open('GET', to);
        outgoing.withCredentials = withCredentials;
        outgoing.onloadend = () => {
          resolve(outgoing.responseText);
        };
        outgoing.send();
      });
  const form =
    (method: string, enctype: string, target: 'frame' | '_blank'): Vector =>
    async (to) => {
      const name = target === 'frame' ? `frame-${Math.random()}` : target;
      const sent = make('form', { method, enctype, action: to, target: name }) as HTMLFormElement;
      for (const [key, value] of new URL(to).searchParams) sent.append(make('input', { name: key, value }));
      const frame = make('iframe', { name });
      document.body.append(sent, frame);
      sent.submit();
      await new Promise((resolve) => setTimeout(resolve, patience));
      return readFrame(frame);
    };
  const worker =
    (code: (to: string) => string): Vector =>
    (to) =>
      new Promise((resolve) => {
        const started = new Worker(URL.createObjectURL(new Blob([code(to)], { type: 'text/javascript' })));
        started.onmessage = ({ data }) => {
          resolve(String(data));
        };
        setTimeout(resolve, patience, '');
      });
  const connection =
    (open: (to: string) => EventTarget): Vector =>
    (to) =>
      new Promise((resolve) => {
        const opened = open(to);
        for (const event of ['open', 'message', 'error', 'close'])
          opened.addEventListener(event, (seen) => {
            resolve(String((seen as MessageEvent).data ?? ''));
          });
        setTimeout(resolve, patience, '');
      });
  const link = (attributes: Readonly<Record<string, string>>): Vector => element('link', 'href', attributes);
  const click =
    (attributes: Readonly<Record<string, string>>, address = 'href'): Vector =>
    (to) => {
      const anchor = make('a', { [address]: to, ...attributes });
      document.body.append(anchor);
      anchor.click();
      return new Promise((resolve) => setTimeout(resolve, patience, ''));
    };
  const svg =
    (tag: string): Vector =>
    async (to) => {
      const drawing = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
      const drawn = document.createElementNS('http://www.w3.org/2000/svg', tag);
      drawn.setAttribute('href', tag === 'use' ? `${to}#x` : to);
      drawing.append(drawn);
      document.body.append(drawing);
      await new Promise((resolve) => setTimeout(resolve, patience));
      return '';
    };
  const through = (vector: Vector, keep = ''): Vector => {
    return (to) => vector(`${redirect}${encodeURIComponent(to)}${keep}`);
  };
  const write = { method: 'POST', body: 'x' } as const;
  const bytes = Uint8Array.from(instance.body, (sign) => sign.charCodeAt(0));
  const related = { method: 'POST', body: bytes, headers: { 'content-type': instance.contentType } } as const;

  const vectors: Readonly<Record<string, Vector>> = {
    img: element('img', 'src'),
    'img crossorigin': element('img', 'src', { crossorigin: 'use-credentials' }),
    'img srcset': element('img', 'srcset'),
    'input image': element('input', 'src', { type: 'image' }),
    'svg image': svg('image'),
    'svg use': svg('use'),
    video: element('video', 'src', { preload: 'auto' }),
    audio: element('audio', 'src', { preload: 'auto' }),
    script: element('script', 'src'),
    'script module': element('script', 'src', { type: 'module' }),
    import: (to) => {
      const script = make('script', { type: 'module' });
      script.textContent = `import(${JSON.stringify(to)})`;
      return settled(script);
    },
    iframe: element('iframe', 'src'),
    'iframe sandbox': element('iframe', 'src', { sandbox: 'allow-scripts' }),
    'iframe srcdoc': (to) => settled(make('iframe', { srcdoc: `<img src="${to}">` })),
    'iframe refresh': async (to) => {
      const frame = make('iframe', { srcdoc: `<meta http-equiv="refresh" content="0;url=${to}">` });
      document.body.append(frame);
      await new Promise((resolve) => setTimeout(resolve, patience));
      return readFrame(frame);
    },
    object: element('object', 'data'),
    embed: element('embed', 'src'),
    stylesheet: link({ rel: 'stylesheet' }),
    prefetch: link({ rel: 'prefetch' }),
    'preload fetch': link({ rel: 'preload', as: 'fetch', crossorigin: '' }),
    'preload script': link({ rel: 'preload', as: 'script' }),
    'preload image': link({ rel: 'preload', as: 'image' }),
    'preload font': link({ rel: 'preload', as: 'font', crossorigin: '' }),
    modulepreload: link({ rel: 'modulepreload' }),
    'css import': style((to) => `@import url("${to}");`),
    'css background': style((to) => `.shown { background: url("${to}") }`),
    'css mask': style((to) => `.shown { mask-image: url("${to}") }`),
    'css font': style((to) => `@font-face { font-family: f; src: url("${to}") } #shown { font-family: f }`),
    'fetch cors': ask({}),
    'fetch no-cors': ask({ mode: 'no-cors' }),
    'fetch with credentials': ask({ credentials: 'include' }),
    'fetch no-cors with credentials': ask({ mode: 'no-cors', credentials: 'include' }),
    'fetch keepalive': ask({ keepalive: true, mode: 'no-cors' }),
    'fetch with a token': ask({ headers: { authorization: 'Bearer x' } }),
    'fetch HEAD': ask({ method: 'HEAD', mode: 'no-cors' }),
    'fetch POST': ask(write),
    'fetch POST no-cors': ask({ ...write, mode: 'no-cors', credentials: 'include' }),
    'fetch DELETE': ask({ method: 'DELETE' }),
    'fetch PUT': ask({ method: 'PUT', body: 'x' }),
    'fetch STOW': ask(related),
    'fetch STOW no-cors': ask({ ...related, mode: 'no-cors' }),
    XMLHttpRequest: askByXhr(false),
    'XMLHttpRequest with credentials': askByXhr(true),
    sendBeacon: (to) => String(navigator.sendBeacon(to, 'x')),
    'sendBeacon STOW': (to) => String(navigator.sendBeacon(to, new Blob([bytes], { type: instance.contentType }))),
    EventSource: connection((to) => new EventSource(to)),
    WebSocket: connection((to) => new WebSocket(to.replace(/^http/, 'ws'))),
    'worker fetch': worker((to) => `fetch(${JSON.stringify(to)}).then((a) => a.text()).then(postMessage)`),
    'worker importScripts': worker((to) => `importScripts(${JSON.stringify(to)})`),
    'a worker of it': (to) => connection(() => new Worker(to))(to),
    'a service worker of it': async (to) => (await navigator.serviceWorker.register(to, { scope: '/none/' })).scope,
    'form GET': form('get', '', 'frame'),
    'form POST urlencoded': form('post', 'application/x-www-form-urlencoded', 'frame'),
    'form POST multipart': form('post', 'multipart/form-data', 'frame'),
    'form POST text': form('post', 'text/plain', 'frame'),
    'form GET, a window': form('get', '', '_blank'),
    'form POST, a window': form('post', 'text/plain', '_blank'),
    'window.open': async (to) => {
      const opened = window.open(to);
      await new Promise((resolve) => setTimeout(resolve, patience));
      try {
        return opened?.document.documentElement.textContent ?? '';
      } catch {
        return '';
      }
    },
    'a link': click({ target: '_blank' }),
    'a link to download': click({ download: 'x', target: '_blank' }),
    'a ping': click({ href: '#', target: '_self' }, 'ping'),
    'redirected img': through(element('img', 'src')),
    'redirected script': through(element('script', 'src')),
    'redirected iframe': through(element('iframe', 'src')),
    'redirected fetch': through(ask({})),
    'redirected fetch no-cors': through(ask({ mode: 'no-cors' })),
    'redirected POST': through(ask({ ...write, mode: 'no-cors' }), '&keep'),
    'redirected form POST': through(form('post', 'text/plain', 'frame'), '&keep'),
  };
  const read: Record<string, string> = {};
  await Promise.all(
    Object.entries(vectors).flatMap(([name, vector]) =>
      targets.map(async (target) => {
        const seen = await Promise.race([
          Promise.resolve(`${target}&v=${encodeURIComponent(name)}`)
            .then(vector)
            .catch(() => ''),
          new Promise<string>((resolve) => setTimeout(resolve, 8 * patience, '')),
        ]);
        read[name] = `${read[name] ?? ''}${seen}`;
      }),
    ),
  );
  return read;
}
