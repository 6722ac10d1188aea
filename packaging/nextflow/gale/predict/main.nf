// Which compound families are in GC-MS runs: one table for all runs of a sample sheet's row.
// Fill in: the container, once there is one; until then use conda, or gale on the path.
process GALE_PREDICT {
    tag "${meta.id}"
    label 'process_low'

    conda "${moduleDir}/environment.yml"

    input:
    tuple val(meta), path(runs, stageAs: 'runs/*')
    path model

    output:
    tuple val(meta), path("${prefix}.csv"),          emit: predictions
    tuple val(meta), path("${prefix}.evidence.csv"), emit: evidence
    tuple val(meta), path("${prefix}.json"),         emit: provenance
    path "versions.yml",                             emit: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    prefix = task.ext.prefix ?: "${meta.id}"
    def args = task.ext.args ?: ''
    def model_option = model ? "--model ${model}" : ''
    """
    gale predict ${runs} -o ${prefix}.csv --evidence ${prefix}.evidence.csv ${model_option} --workers ${task.cpus} --no-cache --quiet ${args} || [ \$? -eq 1 ]  # some runs cannot be read; their rows say why

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        gale: \$(gale --version | sed 's/.*version //')
    END_VERSIONS
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    touch ${prefix}.csv ${prefix}.evidence.csv ${prefix}.json versions.yml
    """
}
