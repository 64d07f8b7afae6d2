import { useSyncExternalStore } from 'react';
import type { Observable } from '../observable.ts';

export function useObservable<T>({ get, subscribe }: Observable<T>): T {
  return useSyncExternalStore(subscribe, get);
}
