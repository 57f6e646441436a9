// Node-RED without its editor: the flow reads its addresses from the environment, the Function node finds pg in the global context.
const { Pool } = require(`${process.env.PEER_MODULES}/pg`);
const pool = new Pool({ connectionString: process.env.PEER_DSN, max: 10 });
pool.on("error", (error) => console.error(`an idle connection broke: ${error.message}`));

module.exports = {
  httpAdminRoot: false,
  httpNodeRoot: false,
  flowFile: "flows.json",
  readOnly: true,
  functionGlobalContext: { pool },
  logging: { console: { level: "warn" } },
};
