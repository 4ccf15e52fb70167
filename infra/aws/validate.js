// Asks Amazon's validator about CloudFormation templates and ends with 1 if it has anything to say against one.
//
//   node infra/aws/validate.js TEMPLATE REGION…
"use strict";

const path = require("node:path");

const { RegoEngine, TemplateFile } = require(
  path.join(__dirname, "../../.cache/node/node_modules/@aws/cloudformation-validate"),
);

const config = {
  severityLevel: "WARN", // below is advice: "supports tags", "is create-only"
  exclude: {
    ids: [
      "W3005", // osls says of a resource that it depends on another, though a reference says so too
      // A condition asks whether a parameter is set, and parameters are set when the template is made.
      "W8003",
      "W9053",
    ],
  },
};

const engine = new RegoEngine();
let failed = false;
for (let i = 2; i < process.argv.length; i += 2) {
  const [file, region] = process.argv.slice(i, i + 2);
  const report = engine.validateStandard(new TemplateFile(file), { ...config, pseudoParameterOverrides: pseudo(region) });
  for (const { severity, ruleId, entity, message } of report.diagnostics) {
    console.error(`${file}: ${severity} ${ruleId} ${JSON.stringify(entity ?? "")}: ${message}`);
  }
  failed ||= report.status !== "OK" || report.diagnostics.length > 0;
}
engine.free();
process.exitCode = failed ? 1 : 0;

// pseudo gives what CloudFormation knows of the place where it runs.
function pseudo(region) {
  const china = region.startsWith("cn-");
  return { region, partition: china ? "aws-cn" : "aws", urlSuffix: china ? "amazonaws.com.cn" : "amazonaws.com" };
}
