// What serverless.yml can't say for itself: ${number:…} makes a number of a parameter, a parameter that nobody knows is
// refused, and `remove` empties the bucket first, because CloudFormation deletes only empty ones.
"use strict";

const path = require("node:path");

// The variable source behind ${number:…}. Parameters on the command line are strings; "" is no value.
const number = {
  resolve({ address }) {
    if (!address) return { value: null };
    if (!/^\d+(\.\d+)?$/.test(address)) throw new Error(`"${address}" is no number`);
    return { value: Number(address) };
  },
};

class Plugin {
  constructor(serverless, options) {
    this.serverless = serverless;
    this.options = options;
    this.provider = serverless.getProvider("aws");
    this.configurationVariablesSources = { number };
    this.hooks = {
      initialize: () => this.checkParameters(),
      "before:remove:remove": () => this.emptyBucket(),
    };
  }

  // checkParameters refuses a misspelt parameter, which osls would pass over, and half a domain.
  checkParameters() {
    const known = this.serverless.configurationInput.params.default;
    const given = Object.fromEntries((this.options.param ?? []).map((pair) => pair.split(/=(.*)/s, 2)));
    const unknown = Object.keys(given).filter((name) => !(name in known));
    if (unknown.length > 0) {
      throw new this.serverless.classes.Error(`there is no parameter ${unknown.join(", ")}; there are ${Object.keys(known).join(", ")}`);
    }
    if (!given.domain !== !given.certificate) throw new this.serverless.classes.Error("domain and certificate belong together: give both or none");
  }

  // emptyBucket deletes all objects of a bucket that goes with its stack. It leaves a bucket that is kept, and a stack
  // that refuses to be deleted.
  async emptyBucket() {
    if (this.serverless.service.resources.Resources.Bucket.DeletionPolicy !== "Delete") return;
    const bucket = await this.findBucket();
    if (!bucket) return;

    const { S3Client, ListObjectsV2Command, DeleteObjectsCommand } = awsClient("client-s3");
    const s3 = new S3Client(await this.provider.getAwsSdkV3Config());
    for (;;) {
      // Always the first page: what it listed is gone by the next round. A page and a deletion are 1000 keys at most.
      const { Contents: objects = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
      if (objects.length === 0) return;
      const Objects = objects.map(({ Key }) => ({ Key }));
      const { Errors: errors = [] } = await s3.send(
        new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }),
      );
      if (errors.length > 0) {
        throw new this.serverless.classes.Error(`${errors.length} objects of the bucket ${bucket} can't be deleted: ${errors[0].Code}`);
      }
    }
  }

  // findBucket gives the name of the stack's bucket; nothing when there is no stack, no bucket, or no deleting it.
  async findBucket() {
    const { CloudFormationClient, DescribeStacksCommand, ListStackResourcesCommand } = awsClient("client-cloudformation");
    const cloudFormation = new CloudFormationClient(await this.provider.getAwsSdkV3Config());
    const StackName = this.provider.naming.getStackName();
    try {
      const { Stacks: stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName }));
      if (stacks[0].EnableTerminationProtection) return undefined;
    } catch (error) {
      if (error.name === "ValidationError" && /does not exist/.test(error.message)) return undefined;
      throw error;
    }
    let NextToken;
    do {
      const page = await cloudFormation.send(new ListStackResourcesCommand({ StackName, NextToken }));
      const found = page.StackResourceSummaries.find((r) => r.LogicalResourceId === "Bucket");
      if (found) return found.ResourceStatus === "DELETE_COMPLETE" ? undefined : found.PhysicalResourceId;
      NextToken = page.NextToken;
    } while (NextToken);
    return undefined;
  }
}

// awsClient loads a client of the SDK that osls brings along. Only `remove` needs one.
const awsClient = (name) => require(path.join(__dirname, "../../.cache/node/node_modules/@aws-sdk", name));

module.exports = Plugin;
