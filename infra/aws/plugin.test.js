// How `remove` empties the bucket, against a server that speaks as much of CloudFormation and S3 as that takes.
// aws_test.go runs this.
"use strict";

const assert = require("node:assert");
const http = require("node:http");
const test = require("node:test");

const Plugin = require("./plugin.js");

const text = (request) =>
  new Promise((resolve) => {
    let body = "";
    request.on("data", (part) => (body += part)).on("end", () => resolve(body));
  });

// cloud plays AWS with a stack and the keys in its bucket, a page at a time. It counts what was asked of it.
async function cloud({ keys = [], protectedStack = false, stack = true, refuse = false }) {
  const left = [...keys];
  const calls = [];
  const server = http.createServer(async (request, response) => {
    const body = await text(request);
    const action = request.url.startsWith("/the-bucket") ? `${request.method} objects` : new URLSearchParams(body).get("Action");
    calls.push(action);
    response.setHeader("content-type", "text/xml");
    switch (action) {
      case "DescribeStacks":
        if (!stack) {
          response.statusCode = 400;
          return response.end(
            "<ErrorResponse><Error><Code>ValidationError</Code><Message>Stack with id kefu-dev does not exist</Message></Error></ErrorResponse>",
          );
        }
        return response.end(
          `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>kefu-dev</StackName><EnableTerminationProtection>${protectedStack}</EnableTerminationProtection></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`,
        );
      case "ListStackResources": {
        const second = body.includes("NextToken");
        const [id, name] = second ? ["Bucket", "the-bucket"] : ["ServerlessDeploymentBucket", "another-bucket"];
        const more = second ? "" : "<NextToken>more</NextToken>";
        return response.end(
          `<ListStackResourcesResponse><ListStackResourcesResult>${more}<StackResourceSummaries><member><LogicalResourceId>${id}</LogicalResourceId><PhysicalResourceId>${name}</PhysicalResourceId><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member></StackResourceSummaries></ListStackResourcesResult></ListStackResourcesResponse>`,
        );
      }
      case "GET objects": {
        const page = left.slice(0, 2).map((key) => `<Contents><Key>${key}</Key></Contents>`);
        return response.end(`<ListBucketResult>${page.join("")}</ListBucketResult>`);
      }
      case "POST objects": {
        const asked = [...body.matchAll(/<Key>(.*?)<\/Key>/g)].map((match) => match[1]);
        if (refuse) {
          return response.end(`<DeleteResult><Error><Key>${asked[0]}</Key><Code>AccessDenied</Code></Error></DeleteResult>`);
        }
        for (const key of asked) left.splice(left.indexOf(key), 1);
        return response.end("<DeleteResult/>");
      }
    }
    response.statusCode = 500;
    response.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { left, calls, server, address: `http://127.0.0.1:${server.address().port}` };
}

// empty runs the hook that goes before `remove`.
async function empty(t, world, policy = "Delete") {
  const aws = await cloud(world);
  t.after(() => aws.server.close());
  const config = {
    region: "eu-west-1",
    endpoint: aws.address,
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: "example", secretAccessKey: "example" },
  };
  const plugin = new Plugin(
    {
      getProvider: () => ({ getAwsSdkV3Config: async () => config, naming: { getStackName: () => "kefu-dev" } }),
      service: { resources: { Resources: { Bucket: { DeletionPolicy: policy } } } },
      classes: { Error },
    },
    {},
  );
  await plugin.hooks["before:remove:remove"]();
  return aws;
}

test("all pages of a bucket go", async (t) => {
  const { left, calls } = await empty(t, { keys: ["media/a", "media/b", "queue/c", "spill/d", "spill/e"] });
  assert.deepStrictEqual(left, []);
  assert.strictEqual(calls.filter((c) => c === "POST objects").length, 3);
});

test("a bucket that is kept is not looked at", async (t) => {
  const { left, calls } = await empty(t, { keys: ["media/a"] }, "Retain");
  assert.deepStrictEqual([left, calls], [["media/a"], []]);
});

test("a protected stack keeps its objects", async (t) => {
  const { left, calls } = await empty(t, { keys: ["media/a"], protectedStack: true });
  assert.deepStrictEqual([left, calls], [["media/a"], ["DescribeStacks"]]);
});

test("without a stack there is nothing to do", async (t) => {
  const { calls } = await empty(t, { stack: false });
  assert.deepStrictEqual(calls, ["DescribeStacks"]);
});

test("an object that can't be deleted is told of", async (t) => {
  await assert.rejects(empty(t, { keys: ["media/a"], refuse: true }), /the-bucket can't be deleted: AccessDenied/);
});
