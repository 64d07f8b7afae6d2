import type { VolumeGeometry } from '../volume/geometry.ts';
import type { GeometryDocument } from './documents.ts';

/** A geometry as the published schemas have it. */
export function toGeometryDocument(geometry: VolumeGeometry): GeometryDocument {
  const { dimensions, spacing, origin, direction, frameOfReferenceUID } = geometry;
  return {
    dimensions: [...dimensions],
    spacing: [...spacing],
    origin: [origin[0], origin[1], origin[2]],
    direction: [[...direction[0]], [...direction[1]], [...direction[2]]],
    ...(frameOfReferenceUID !== undefined && { frameOfReferenceUID }),
  };
}
