// A program over the generated types: from a file to what its tuned model is worth.
// node whole_pass.js URL KEY FILE

import { readFile } from "node:fs/promises";

import createClient from "openapi-fetch";

import type { components, paths } from "./luthier.js";

// An answer may be a stream as well; this program asks for none.
type Media = "application/json" | "application/problem+json";

type Dataset = components["schemas"]["DatasetOut"];
type Job = components["schemas"]["JobOut"];
type Evaluation = components["schemas"]["EvaluationOut"];
type Problem = components["schemas"]["Problem"];

const [url, key, file] = process.argv.slice(2) as [string, string, string];
const client = createClient<paths, Media>({
  baseUrl: url,
  headers: { Authorization: `Bearer ${key}` },
});

function checked<T>(answer: { data?: T; error?: Problem }): T {
  if (answer.data === undefined) throw new Error(`${answer.error?.code}: ${answer.error?.detail}`);
  return answer.data;
}

async function upload(): Promise<Dataset> {
  const form = new FormData();
  form.append("name", "echo");
  form.append("on_error", "skip");
  form.append("file", new Blob([await readFile(file)]), file);
  return checked(
    await client.POST("/datasets", { body: { name: "echo" }, bodySerializer: () => form }),
  );
}

async function trained(dataset: Dataset): Promise<Job> {
  const wanted = {
    provider: "simulated",
    base_model: "sim-base",
    dataset: dataset.id,
    budget_usd: "5000.00",
  };
  let job: Job = checked(await client.POST("/jobs", { body: wanted }));
  while (job.finished_at === null) {
    const params = { path: { job_id: job.id }, query: { wait: 20 } };
    const headers = { "If-None-Match": `"${job.id}.${job.revision}"` };
    job = (await client.GET("/jobs/{job_id}", { params, headers })).data ?? job;
  }
  return job;
}

async function ask(model: string): Promise<string> {
  const answer = await client.POST("/models/{ref}/chat/completions", {
    params: { path: { ref: model } },
    body: { messages: [{ role: "user", content: "say what?" }] },
  });
  return String(checked(answer).choices[0]?.message["content"]);
}

async function compared(dataset: Dataset, candidates: string[]): Promise<Evaluation> {
  const body = { dataset: dataset.id, candidates, metrics: ["exact_match"] };
  let evaluation: Evaluation = checked(await client.POST("/evaluations", { body }));
  while (evaluation.finished_at === null) {
    const params = { path: { evaluation_id: evaluation.id } };
    evaluation = checked(await client.GET("/evaluations/{evaluation_id}", { params }));
  }
  return evaluation;
}

const dataset = await upload();
console.log("dataset", dataset.examples);
const page = checked(await client.GET("/datasets"));
console.log("listed", page.data.map((one) => one.name).join(" "));
const content = await client.GET("/datasets/{ref}/content", {
  params: { path: { ref: dataset.id } },
  parseAs: "text",
});
console.log("content", String(checked(content)).trimEnd().split("\n").length);
const job = await trained(dataset);
console.log("job", job.status, job.cost.budget_usd);
console.log("answer", await ask(String(job.tuned_model)));
const candidates = [`simulated/${job.base_model}`, String(job.tuned_model)];
const evaluation = await compared(dataset, candidates);
console.log("evaluation", evaluation.scores.map((score) => score.mean?.toFixed(1)).join(" "));
const none = await client.GET("/jobs/{job_id}", { params: { path: { job_id: "job_none" } } });
console.log("refused", none.error?.code);
