// Predicts the runs that a file lists, in shards: several at a time, or each as a job of a cluster.
//
//   nextflow run main.nf --runs runs.txt --model model.onnx --shards 8 -resume
//
// The paths in the list are absolute, as Nextflow works in folders of its own.
params.shards = 8

process predict {
    memory '2 GB'
    errorStrategy 'retry'
    maxRetries 2

    input:
    val shard
    path runs
    path model

    output:
    path "${shard}.parquet"

    script:
    """
    gale predict --files-from $runs --shard $shard/$params.shards --model $model \\
      -o ${shard}.parquet --allow-failed --no-cache --quiet
    """
}

process join {
    publishDir '.', mode: 'copy'

    input:
    path 'shards/*'

    output:
    path 'predictions.parquet'

    script:
    """
    python -c "import polars as pl; pl.read_parquet('shards/*').write_parquet('predictions.parquet')"
    """
}

workflow {
    shards = Channel.of(1..params.shards)
    predict(shards, file(params.runs), file(params.model)) | collect | join
}
