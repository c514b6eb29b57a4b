import { pick, type Resource, type World } from './scenario.js';

/** A resource that can be hard-deleted: it has one version, and is not new any more. */
type Candidate = { readonly resource: Resource & { id: string }; readonly changesBefore: number };

const TYPES = ['Patient', 'Encounter', 'Condition'];
const SHARE_OF_STEPS = 0.05;
const RECREATED_SHARE = 0.2;
/**
 * The number of changes between a resource's creation and its hard delete, and between that and its new creation. The
 * app recognises a new resource by the time of its creation.
 */
const CHANGES_BETWEEN = 100;
/** The oldest candidates beyond this number are never hard-deleted. */
const MAX_CANDIDATES = 500;

/**
 * Hard-deletes resources that a scenario makes, and creates some of them again under the same id. Only resources at
 * version 1 are hard-deleted: events can arrive in any order, and the app recognises a resource that is created
 * again only by the time of its creation.
 */
export class HardDeletes {
  /** The world for the scenario. */
  readonly watched: World;
  readonly #world: World;
  readonly #first: number;
  /** The oldest first. */
  readonly #candidates = new Map<string, Candidate>();
  readonly #gone = new Map<string, Candidate['resource']>();
  readonly #returning: { key: string; afterChanges: number }[] = [];

  constructor(world: World) {
    this.#world = world;
    this.#first = world.left();
    this.watched = {
      ...world,
      create: (resource) => this.#create(resource),
      update: (resource) => this.#update(resource),
      remove: (resourceType, id) => this.#remove(resourceType, id),
    };
  }

  /** Hard-deletes a resource, in some of the calls. */
  hardDeleteSometimes(): void {
    const { random } = this.#world;
    if (random.number() >= SHARE_OF_STEPS) return;
    const old = [...this.#candidates.values()].filter(
      ({ changesBefore }) => this.#changes() - changesBefore >= CHANGES_BETWEEN,
    );
    const { resource } = pick(random, old) ?? {};
    if (!resource) return;
    const key = keyOf(resource);
    this.#world.hardDelete(resource.resourceType, resource.id);
    this.#candidates.delete(key);
    this.#gone.set(key, resource);
    if (random.number() < RECREATED_SHARE)
      this.#returning.push({ key, afterChanges: this.#changes() + CHANGES_BETWEEN });
  }

  /** Creates a resource again that is due, under its id; `false` where none is. */
  recreateOne(): boolean {
    const [next] = this.#returning;
    if (!next || next.afterChanges > this.#changes()) return false;
    this.#returning.shift();
    const resource = this.#gone.get(next.key);
    if (!resource) return false; // the scenario itself has created it again
    this.#update(resource);
    return true;
  }

  #create(resource: Resource): string {
    const id = this.#world.create(resource);
    this.#noteFirst({ ...resource, id });
    return id;
  }

  #update(resource: Candidate['resource']): void {
    this.#world.update(resource);
    if (this.#gone.delete(keyOf(resource))) this.#noteFirst(resource);
    else this.#candidates.delete(keyOf(resource));
  }

  #remove(resourceType: string, id: string): void {
    this.#world.remove(resourceType, id);
    this.#candidates.delete(keyOf({ resourceType, id }));
  }

  #noteFirst(resource: Candidate['resource']): void {
    if (!TYPES.includes(resource.resourceType)) return;
    this.#candidates.set(keyOf(resource), { resource, changesBefore: this.#changes() });
    const [oldest = ''] = this.#candidates.keys();
    if (this.#candidates.size > MAX_CANDIDATES) this.#candidates.delete(oldest);
  }

  /** Returns the number of changes so far. */
  #changes(): number {
    return this.#first - this.#world.left();
  }
}

function keyOf({ resourceType, id }: { resourceType: string; id: string }): string {
  return `${resourceType}/${id}`;
}
