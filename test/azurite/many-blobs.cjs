// Azurite loads this first. Its database looks at all blobs of the account, and sorts them, for each that it reads, lists or
// deletes: seconds of CPU among 100,000. Here it uses and keeps its index of names. What it stores and answers is the same.
const Loki = require('lokijs');

const { prototype } = new Loki('').addCollection('').chain().constructor;
const { find } = prototype;

prototype.find = function findByName(query, isFirstOnly) {
  const { name: of, ...others } = query ?? {};
  const name = typeof of === 'string' ? of : rangeOf(of?.$regex);
  return find.call(this, name === undefined ? query : { name, ...others }, isFirstOnly);
};

prototype.remove = function removeEach() {
  for (const document of this.data()) this.collection.remove(document);
  return this;
};

/** The names that begin with the folder of a pattern, such as `^pending/`. */
function rangeOf(pattern) {
  if (typeof pattern !== 'string' || !/^\^.*\/$/.test(pattern)) return undefined;
  const folder = pattern.slice(1).replaceAll(/\\(.)/g, '$1');
  return { $between: [folder, `${folder}\uffff`] };
}
