package oracle

// qualityScore is the dimension of AdQuality that is not a relevance ranking.
const qualityScore = "quality_score"
