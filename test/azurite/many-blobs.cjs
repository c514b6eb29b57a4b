// Azurite loads this first. Its database sorts all its indexes again for each blob that is deleted, and looks for a blob
// among all of the account: a second of CPU each among 100,000 blobs. Here it removes one entry from each index, and looks
// by name first. What it stores and answers is the same.
const Loki = require('lokijs');

const { prototype } = new Loki('').addCollection('').chain().constructor;
const { find } = prototype;

prototype.find = function findByName(query, isFirstOnly) {
  const isOfOne = typeof query?.name === 'string';
  return find.call(this, isOfOne ? { name: query.name, ...query } : query, isFirstOnly);
};

prototype.remove = function removeEach() {
  for (const document of this.data()) this.collection.remove(document);
  return this;
};
