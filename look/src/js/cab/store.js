// What the tablet keeps through reloads and without coverage, in IndexedDB: the unsent actions, their photos, and named things.
import { openDB } from "idb";

export async function openStore() {
  const db = await openDB("asty-cab", 1, {
    upgrade(fresh) {
      fresh.createObjectStore("queue", { keyPath: "seq", autoIncrement: true });
      fresh.createObjectStore("photos");
      fresh.createObjectStore("kept");
    },
    blocking: () => db.close(),
  });
  await navigator.storage?.persist?.().catch(() => false);
  return {
    /** Everything kept by name, as one object. */
    async kept() {
      const [names, values] = await Promise.all([db.getAllKeys("kept"), db.getAll("kept")]);
      return Object.fromEntries(names.map((name, i) => [name, values[i]]));
    },
    async keep(values) {
      const work = db.transaction("kept", "readwrite", { durability: "strict" });
      for (const [name, value] of Object.entries(values)) {
        if (value === null) work.store.delete(name);
        else work.store.put(value, name);
      }
      await work.done;
    },
    queue: () => db.getAll("queue"),
    /** Append an action; it is on the disk when this resolves. Returns it with its number. */
    async enqueue(action, photo = null) {
      const work = db.transaction(["queue", "photos"], "readwrite", { durability: "strict" });
      const seq = await work.objectStore("queue").add(action);
      if (photo) work.objectStore("photos").put(photo, action.key);
      await work.done;
      return { ...action, seq };
    },
    async forget(entries) {
      const work = db.transaction(["queue", "photos"], "readwrite", { durability: "strict" });
      for (const { seq, key, kind } of entries) {
        work.objectStore("queue").delete(seq);
        if (kind === "photo") work.objectStore("photos").delete(key);
      }
      await work.done;
    },
    photo: (key) => db.get("photos", key),
  };
}
