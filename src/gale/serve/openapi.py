"""The OpenAPI document of the API, with examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from gale.serve.answers import API
from gale.serve.problems import MEDIA_TYPE as PROBLEM
from gale.serve.tables import MEDIA_TYPES

Json = dict[str, Any]

TEXT: Json = {"type": "string"}
COUNT: Json = {"type": "integer", "minimum": 0}
SHARE: Json = {"type": ["number", "null"], "minimum": 0}
SHA: Json = {"type": "string", "pattern": "^([0-9a-f]{64})?$"}
TEXTS: Json = {"type": "array", "items": TEXT}

EXAMPLE_PREDICTION: Json = {
    "model": "model",
    "model_sha256": "7d" * 32,
    "status": "ok",
    "message": None,
    "unlike": 0.62,
    "families": {"hydrocarbon": {"value": 0.93, "spread": 0.02}},
}
EXAMPLE_RUN: Json = {
    "id": "Zb2jK0mQ4fP1x8uYtR7wAg",
    "job": "n3VYpX9sT1aQ5kLr2bWcDg",
    "place": [1, 0],
    "name": "run1.cdf",
    "bytes": 1_204_332,
    "state": "done",
    "sha256": "3f" * 32,
    "predictions": [EXAMPLE_PREDICTION],
    "page": f"{API}/runs/Zb2jK0mQ4fP1x8uYtR7wAg/page",
    "evidence": f"{API}/runs/Zb2jK0mQ4fP1x8uYtR7wAg/evidence",
    "peaks": f"{API}/runs/Zb2jK0mQ4fP1x8uYtR7wAg/peaks",
}
NAMED: Json = {
    "gale_version": "0.1.0",
    "models": [{"name": "model", "sha256": "7d" * 32}],
}
EXAMPLE_PROBLEM: Json = {
    "type": "about:blank",
    "title": "Unprocessable Entity",
    "status": 422,
    "detail": "run1.cdf: is empty; expected a run; copy or export it again",
}


def openapi(models: Sequence[str], *, needs_token: bool) -> Json:
    """Describe the API of a server with these models."""
    document: Json = {
        "openapi": "3.1.0",
        "info": {
            "title": "gale",
            "version": version("gale-ms"),
            "description": "Which compound families are in a GC-MS run, and how sure that is. "
            "Every answer has the header Gale-Model: the SHA-256 of each model.",
        },
        "paths": _paths(models),
        "components": {"schemas": _schemas(), "responses": _problems()},
    }
    if needs_token:
        document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"token": []}]
    return document


def _paths(models: Sequence[str]) -> Json:
    model = _parameter("model", "query", {**TEXT, "enum": list(models), "default": models[0]})
    return {**_of_incoming(), **_of_jobs(model), **_of_runs(model), **_of_server()}


def _of_incoming() -> Json:
    return {
        f"{API}/predict": {
            "post": _operation(
                "Predict runs, and answer when all are done. If all fail, the status is 422.",
                {"200": _json("Prediction")}, (400, 408, 413, 415, 422, 429, 503, 507), files=1,
            )
        },
        f"{API}/jobs": {
            "post": _operation(
                "Make a job of many runs; without files, an empty one to add to.",
                {"202": _json("Accepted")}, (400, 408, 413, 415, 429, 503, 507), files=0,
            )
        },
    }  # fmt: skip


def _of_jobs(model: Json) -> Json:
    job = _parameter("job", "path")
    key = _parameter("Idempotency-Key", "header", {**TEXT, "maxLength": 100})
    key["description"] = "The same files sent again with the same key are taken once."
    tables = {media: {"schema": {"type": "string", "format": "binary"}}
              for media in MEDIA_TYPES.values()}  # fmt: skip
    return {
        f"{API}/jobs/{{job}}": {
            "get": _operation(
                "Say how far a job is. With Accept: text/event-stream, a stream of the events run, "
                "progress and done, which Last-Event-ID continues.",
                {"200": _json("Job", others={"text/event-stream": {"schema": TEXT}})},
                (404, 429), job,
            )
        },
        f"{API}/jobs/{{job}}/runs": {
            "post": _operation(
                "Add runs to a job.", {"202": _json("Accepted")},
                (400, 404, 408, 413, 415, 429, 503, 507), job, key, files=1,
            )
        },
        f"{API}/jobs/{{job}}/table": {
            "get": _operation(
                "The finished runs as the table that gale predict writes.",
                {"200": {"description": "The table.", "content": tables}}, (400, 404, 429), job,
                model, _parameter("format", "query", {**TEXT, "enum": list(MEDIA_TYPES)}),
            )
        },
        f"{API}/jobs/{{job}}/pages": {
            "get": _operation(
                "A ZIP archive of the pages of all finished runs, and an index.",
                {"200": _file("application/zip")}, (404, 429), job, model,
            )
        },
    }  # fmt: skip


def _of_runs(model: Json) -> Json:
    run = _parameter("run", "path")
    return {
        f"{API}/runs/{{run}}": {
            "get": _operation("A run.", {"200": _json("NamedRun")}, (404, 429), run)
        },
        f"{API}/runs/{{run}}/page": {
            "get": _operation(
                "The page of a run.", {"200": _file("text/html; charset=utf-8")},
                (404, 409, 422, 429, 503), run, model,
            )
        },
        f"{API}/runs/{{run}}/evidence": _table(
            "What in a run speaks for each family: when, by which ions, and which compounds are "
            "alike.", "Evidence", run, model,
        ),
        f"{API}/runs/{{run}}/peaks": _table(
            "All peaks of a run, and the compounds that they are like.", "Peaks", run, model
        ),
    }  # fmt: skip


def _table(about: str, schema: str, *parameters: Json) -> Json:
    """Describe a table of a run, as JSON or CSV."""
    form = _parameter("format", "query", {**TEXT, "enum": ["json", "csv"]})
    given = {"200": _json(schema, others={"text/csv; charset=utf-8": {"schema": TEXT}})}
    errors = (400, 404, 409, 422, 429, 503)
    return {"get": _operation(about, given, errors, *parameters, form)}


def _of_server() -> Json:
    return {
        f"{API}/model": {
            "get": _operation("The models and the limits.", {"200": _json("Models")}, (429,))
        },
        f"{API}/health": {
            "get": {
                **_operation(
                    "Whether the server works; needs no token.",
                    {"200": _json("Health"), "503": _json("Health", about="No worker is ready.")},
                    (),
                ),
                "security": [],
            }
        },
        f"{API}/metrics": {
            "get": _operation(
                "Counters for Prometheus.",
                {"200": _file("text/plain; version=0.0.4; charset=utf-8")}, (429,),
            )
        },
    }  # fmt: skip


def _operation(
    about: str, answers: Json, problems: Sequence[int], *parameters: Json, files: int = -1
) -> Json:
    """Describe a request; one that takes files takes at least `files` of them."""
    said: Json = {
        "summary": about,
        "parameters": list(parameters),
        "responses": {
            **answers,
            **{str(n): {"$ref": f"#/components/responses/{n}"} for n in (401, 403, 421, *problems)},
        },
    }
    if files >= 0:
        said["requestBody"] = {
            "required": files > 0,
            "description": "Files, each a run, or a ZIP of runs. Files whose names have slashes "
            "belong together, as in the folder of an instrument.",
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "properties": {
                            "file": {
                                "type": "array",
                                "minItems": files,
                                "items": {"type": "string", "format": "binary"},
                            }
                        },
                        "required": ["file"] * files,
                    }
                }
            },
        }
    return said


def _parameter(name: str, where: str, schema: Json = TEXT) -> Json:
    return {"name": name, "in": where, "required": where == "path", "schema": schema}


def _json(name: str, about: str = "", others: Json | None = None) -> Json:
    schema = {"schema": {"$ref": f"#/components/schemas/{name}"}}
    return {
        "description": about or f"{name}.",
        "content": {"application/json": schema, **(others or {})},
    }


def _file(media: str) -> Json:
    return {"description": "A file.", "content": {media: {"schema": TEXT}}}


def _object(properties: Json, example: Json, optional: Sequence[str] = ()) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "examples": [example],
    }


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(of: Json) -> Json:
    return {"type": "array", "items": of}


UNFINISHED = ("sha256", "predictions", "page", "evidence", "peaks")
"""What a run does not have before it is done."""


def _schemas() -> Json:
    named: Json = {
        "gale_version": TEXT,
        "models": _list(_object({"name": TEXT, "sha256": SHA}, NAMED["models"][0])),
    }
    return {**_run_schemas(named), **_job_schemas(named), **_other_schemas(named)}


def _run_schemas(named: Json) -> Json:
    value = _object({"value": SHARE, "spread": SHARE}, {"value": 0.93, "spread": 0.02})
    prediction: Json = {
        "model": TEXT,
        "model_sha256": SHA,
        "status": {**TEXT, "enum": ["ok", "doubtful", "failed"]},
        "message": {"type": ["string", "null"]},
        "unlike": SHARE,
        "families": {"type": "object", "additionalProperties": value},
    }
    run: Json = {
        "id": TEXT,
        "job": TEXT,
        "place": _list(COUNT),
        "name": TEXT,
        "bytes": COUNT,
        "state": {**TEXT, "enum": ["waiting", "reading", "done"]},
        "sha256": SHA,
        "predictions": _list(_object(prediction, EXAMPLE_PREDICTION)),
        "page": TEXT,
        "evidence": TEXT,
        "peaks": TEXT,
    }
    return {
        "Run": _object(run, EXAMPLE_RUN, UNFINISHED),
        "NamedRun": _object({**named, **run}, {**NAMED, **EXAMPLE_RUN}, UNFINISHED),
    }


def _job_schemas(named: Json) -> Json:
    progress = {"runs": 1, "waiting": 0, "reading": 0, "done": 1}
    ids = {"id": EXAMPLE_RUN["job"]}
    return {
        "Prediction": _object(
            {**named, "job": TEXT, "left_out": TEXTS, "runs": _list(_ref("Run"))},
            {**NAMED, "job": EXAMPLE_RUN["job"], "left_out": [], "runs": [EXAMPLE_RUN]},
        ),
        "Accepted": _object(
            {**named, "id": TEXT, "runs": _list(_ref("Run"))},
            {**NAMED, **ids, "runs": [{**_without(EXAMPLE_RUN, UNFINISHED), "state": "waiting"}]},
        ),
        "Job": _object(
            {**named, "id": TEXT, "done": {"type": "boolean"}, "left_out": TEXTS,
             "progress": _object(dict.fromkeys(progress, COUNT), progress),
             "runs": _list(_ref("Run"))},
            {**NAMED, **ids, "done": True, "left_out": [], "progress": progress,
             "runs": [EXAMPLE_RUN]},
        ),
    }  # fmt: skip


def _other_schemas(named: Json) -> Json:
    of_run = {**named, "run": TEXT, "name": TEXT, "model": TEXT, "columns": TEXTS}
    known = {**NAMED, "run": EXAMPLE_RUN["id"], "name": "run1.cdf", "model": "model"}
    rows = _list({"type": "object"})
    return {
        "Evidence": _object(
            {**of_run, "evidence": rows},
            {**known, "columns": ["family", "apex_min", "ion_1"],
             "evidence": [{"family": "hydrocarbon", "apex_min": 7.21, "ion_1": 57}]},
        ),
        "Peaks": _object(
            {**of_run, "peaks": rows},
            {**known, "columns": ["peak", "apex_min", "compound", "match"],
             "peaks": [{"peak": 1, "apex_min": 7.21, "compound": "dodecane", "match": 951}]},
        ),
        "Models": _object(
            {"gale_version": TEXT, "models": _list({"type": "object"}),
             "limits": {"type": "object"}},
            {**NAMED, "limits": {"max_mb": 512}},
        ),
        "Health": _object(
            {"status": TEXT, "workers": COUNT, "waiting": COUNT},
            {"status": "ok", "workers": 2, "waiting": 0},
        ),
        "Problem": _object(
            {"type": TEXT, "title": TEXT, "status": COUNT, "detail": TEXT}, EXAMPLE_PROBLEM
        ),
    }  # fmt: skip


def _without(values: Mapping[str, Any], names: Sequence[str]) -> Json:
    return {name: value for name, value in values.items() if name not in names}


PROBLEMS = {
    400: "The request is not as it should be.",
    401: "The token is missing or wrong.",
    403: "A page of another site sent it.",
    404: "There is no such job, run or model.",
    408: "The request came too slowly.",
    409: "The run is not done, or was predicted by another model.",
    413: "The request is too large.",
    415: "The request is no form.",
    421: "The server is not called so.",
    422: "No run could be read; the detail says why.",
    429: "Too many requests at a time; Retry-After says when to repeat it.",
    503: "The queue is full, or the server stops; Retry-After says when to repeat it.",
    507: "The disk of the server is full.",
}


def _problems() -> Json:
    return {
        str(status): {
            "description": about,
            "content": {PROBLEM: {"schema": _ref("Problem")}},
            **(
                {"headers": {"Retry-After": {"schema": COUNT, "description": "Seconds."}}}
                if status in (429, 503)
                else {}
            ),
        }
        for status, about in PROBLEMS.items()
    }
