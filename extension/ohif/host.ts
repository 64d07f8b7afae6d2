import type { Types } from '@cornerstonejs/core';
import type { CornerstoneHost } from '../cornerstone/host.ts';

/** What we use of OHIF 3.13. Its packages are not installed here, so their types are written down as far as needed. */
export interface OhifManagers {
  /** `window.config` of the installation. */
  readonly appConfig?: {
    readonly slicewise?: {
      /** For tests: also a graphics card that is only imitated, and takes far longer than the processor. */
      readonly allowSoftwareAdapter?: boolean;
      /** What the archive of `npm start` wants to see with each request. */
      readonly accessToken?: string;
    };
  };
  readonly servicesManager: { readonly services: OhifServices };
  readonly commandsManager: { run(name: string, options?: object): unknown };
  readonly extensionManager: {
    getModuleEntry(id: string): unknown;
    getActiveDataSource(): readonly unknown[];
  };
}

interface OhifServices {
  readonly segmentationService: SegmentationService;
  readonly viewportGridService: ViewportGridService;
  readonly displaySetService: DisplaySetService;
  readonly cornerstoneViewportService: CornerstoneViewportService;
  readonly userAuthenticationService?: UserAuthenticationService;
  readonly customizationService: { setCustomizations(customizations: object, scope: 'mode'): void };
}

interface UserAuthenticationService {
  getAuthorizationHeader(): Readonly<Record<string, string>> | undefined;
  setServiceImplementation(implementation: { getAuthorizationHeader: () => Readonly<Record<string, string>> }): void;
}

interface PubSub<Name extends string> {
  readonly EVENTS: Readonly<Record<Name, string>>;
  subscribe(event: string, listener: (detail: unknown) => void): { unsubscribe(): void };
}

export interface DisplaySetService extends PubSub<'DISPLAY_SETS_ADDED'> {
  readonly activeDisplaySets: readonly DisplaySet[];
  getDisplaySetByUID(uid: string): DisplaySet | undefined;
}

/** One series as OHIF shows it. */
export interface DisplaySet {
  readonly displaySetInstanceUID: string;
  readonly StudyInstanceUID: string;
  readonly SeriesInstanceUID: string;
  /** Of SEG, SR and the like: the one instance. */
  readonly SOPInstanceUID?: string;
  readonly SeriesDescription?: string;
  readonly SeriesNumber?: number | string;
  readonly Modality?: string;
  /** Absent for SEG, SR and the like. */
  readonly imageIds?: readonly string[];
  readonly instances?: readonly { readonly BodyPartExamined?: unknown; readonly [keyword: string]: unknown }[];
}

interface ViewportGridService extends PubSub<
  'ACTIVE_VIEWPORT_ID_CHANGED' | 'GRID_STATE_CHANGED' | 'LAYOUT_CHANGED' | 'VIEWPORTS_READY'
> {
  getActiveViewportId(): string | null | undefined;
  getState(): { readonly viewports: ReadonlyMap<string, { readonly displaySetInstanceUIDs?: readonly string[] }> };
}

interface CornerstoneViewportService extends PubSub<'VIEWPORT_DATA_CHANGED'> {
  getCornerstoneViewport(viewportId: string): Types.IViewport | null | undefined;
}

interface SegmentationService extends PubSub<
  | 'SEGMENTATION_ADDED'
  | 'SEGMENTATION_MODIFIED'
  | 'SEGMENTATION_REMOVED'
  | 'SEGMENTATION_REPRESENTATION_MODIFIED'
  | 'SEGMENTATION_STYLE_MODIFIED'
> {
  createLabelmapForDisplaySet(
    displaySet: DisplaySet,
    options: { segmentationId: string; label: string; segments: Readonly<Record<number, HostSegment>> },
  ): Promise<string>;
  getSegmentation(segmentationId: string): HostSegmentation | undefined;
  remove(segmentationId: string): void;
  addSegmentationRepresentation(
    viewportId: string,
    options: { segmentationId: string; type: 'Labelmap' },
  ): Promise<void>;
  getSegmentationRepresentations(
    viewportId: string,
    specifier?: { segmentationId: string },
  ): readonly HostRepresentation[];
  removeRepresentationsFromViewport(viewportId: string, specifier: { segmentationId: string }): void;
  getViewportIdsWithSegmentation(segmentationId: string): readonly string[];
  setActiveSegmentation(viewportId: string, segmentationId: string): void;
  setActiveSegment(segmentationId: string, segmentIndex: number): void;
  setSegmentColor(viewportId: string, segmentationId: string, segmentIndex: number, color: Rgba): void;
  setSegmentVisibility(
    viewportId: string,
    segmentationId: string,
    segmentIndex: number,
    isVisible: boolean,
    type: 'Labelmap',
  ): void;
  setSegmentLocked(segmentationId: string, segmentIndex: number, isLocked: boolean): void;
  getStyle(specifier: StyleSpecifier): { readonly fillAlpha?: number };
  setStyle(specifier: StyleSpecifier, style: LabelmapStyle): void;
}

interface StyleSpecifier {
  readonly segmentationId: string;
  readonly type: 'Labelmap';
  readonly segmentIndex?: number;
}
interface LabelmapStyle {
  readonly fillAlpha?: number;
  readonly fillAlphaInactive?: number;
  readonly renderOutline?: boolean;
  readonly renderOutlineInactive?: boolean;
}

export type Rgba = readonly [red: number, green: number, blue: number, alpha: number];

interface HostSegment {
  readonly segmentIndex: number;
  readonly label: string;
  readonly active?: boolean;
  readonly locked?: boolean;
  readonly cachedStats?: object;
}

/** A segmentation in one viewport. */
interface HostRepresentation {
  readonly segmentationId: string;
  readonly label: string;
  readonly active: boolean;
  readonly type: 'Labelmap' | 'Contour' | 'Surface';
  readonly segments: Readonly<Record<number, { readonly color: Rgba; readonly visible: boolean }>>;
}

interface HostSegmentation {
  readonly segmentationId: string;
  readonly label: string;
  readonly segments: Readonly<Record<number, HostSegment>>;
}

/** @throws Error if OHIF's Cornerstone extension is missing or another one than 3.13's */
export function cornerstoneOf({ extensionManager }: OhifManagers): CornerstoneHost {
  const entry = extensionManager.getModuleEntry('@ohif/extension-cornerstone.utilityModule.common') as
    CornerstoneModule | undefined;
  const libraries = entry?.exports?.getCornerstoneLibraries?.();
  if (libraries === undefined) throw new Error('This OHIF gives no access to its Cornerstone libraries.');
  return { core: libraries.cornerstone, tools: libraries.cornerstoneTools };
}

interface CornerstoneModule {
  readonly exports?: {
    readonly getCornerstoneLibraries?: () => {
      readonly cornerstone: CornerstoneHost['core'];
      readonly cornerstoneTools: CornerstoneHost['tools'];
    };
  };
}
