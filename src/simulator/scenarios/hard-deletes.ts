import { pick, type Resource, type World } from './scenario.js';

/** A resource that can be hard-deleted: it has one version, and is not new any more. */
type Candidate = { readonly resource: Resource & { id: string }; readonly madeAt: number };

const TYPES = ['Patient', 'Encounter', 'Condition'];
const SHARE_OF_STEPS = 0.05;
const RECREATED_SHARE = 0.2;
/**
 * Changes between the creation of a resource, its hard delete and its new start. They separate the times of the two
 * creations, by which the app tells the resources apart.
 */
const CHANGES_BETWEEN = 100;
/** The oldest candidates beyond this number are never hard-deleted. */
const MAX_CANDIDATES = 500;

/**
 * Hard-deletes resources that a scenario makes, and creates some of them again under the same id. Only resources at
 * version 1 are hard-deleted: events can arrive in any order, and the app knows a resource that has begun again by the
 * time of its creation alone.
 */
export class HardDeletes {
  /** The world for the scenario. */
  readonly watched: World;
  readonly #world: World;
  readonly #first: number;
  /** The oldest first. */
  readonly #candidates = new Map<string, Candidate>();
  readonly #gone = new Map<string, Candidate['resource']>();
  readonly #returning: { key: string; dueAt: number }[] = [];

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
    const old = [...this.#candidates.values()].filter(({ madeAt }) => this.#made() - madeAt >= CHANGES_BETWEEN);
    const { resource } = pick(random, old) ?? {};
    if (!resource) return;
    const key = keyOf(resource);
    this.#world.hardDelete(resource.resourceType, resource.id);
    this.#candidates.delete(key);
    this.#gone.set(key, resource);
    if (random.number() < RECREATED_SHARE) this.#returning.push({ key, dueAt: this.#made() + CHANGES_BETWEEN });
  }

  /** Creates a resource again that is due, under its id; `false` where none is. */
  recreateOne(): boolean {
    const [next] = this.#returning;
    if (!next || next.dueAt > this.#made()) return false;
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
    this.#candidates.set(keyOf(resource), { resource, madeAt: this.#made() });
    const [oldest = ''] = this.#candidates.keys();
    if (this.#candidates.size > MAX_CANDIDATES) this.#candidates.delete(oldest);
  }

  /** Returns the number of changes so far. */
  #made(): number {
    return this.#first - this.#world.left();
  }
}

function keyOf({ resourceType, id }: { resourceType: string; id: string }): string {
  return `${resourceType}/${id}`;
}
