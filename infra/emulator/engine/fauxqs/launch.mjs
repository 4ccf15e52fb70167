// Starts fauxqs on one port of the loopback interface; its own command would listen on all of them.
import { buildApp } from "fauxqs";

const app = buildApp({ logger: false, host: "localhost" });

// S3 takes 5 GiB in one call and fauxqs 11 MiB; our files may have 16.
const bodyLimit = 64 * 1024 * 1024;
app.removeContentTypeParser("*");
app.addContentTypeParser("*", { parseAs: "buffer", bodyLimit }, (_request, body, done) => done(null, body));

await app.listen({ port: Number(process.argv[2]), host: "127.0.0.1" });
