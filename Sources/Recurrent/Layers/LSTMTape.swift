internal import CRecurrentKernels

/// The parameters of one pass of the layer over time.
struct LSTMPass {
    let batch: Int
    let timesteps: Int
    let goBackwards: Bool
    let returnSequences: Bool
    let zeroOutputForMask: Bool
    let mask: Mask?
    let dropout: DropoutMasks?
    /// Whether a backward pass will follow.
    let isKept: Bool

    /// The input timestep that step `step` reads.
    func time(_ step: Int) -> Int { goBackwards ? timesteps - 1 - step : step }
    func isMasked(_ row: Int, _ step: Int) -> Bool {
        mask.map { $0.values[row * timesteps + time(step)] == 0 } ?? false
    }
    /// The output row, within a sample, that step `step` writes; nil if that step is not part of the output.
    func output(_ step: Int) -> Int? {
        if returnSequences { return step }
        return step == timesteps - 1 ? 0 : nil
    }
    /// Output rows per sample.
    var outputStride: Int { returnSequences ? timesteps : 1 }
}

/// The forward pass of one LSTM layer over time, recorded if gradients are to flow back through it.
///
/// Time is divided into slots: slot t holds the input of step t next to the states it starts from, so that a slot has
/// one row of the cell's depth per sample, and step t writes its states to slot t + 1. Without a backward pass two
/// slots alternate.
final class LSTMTape {
    let cell: PackedCell
    private(set) var pass: LSTMPass
    /// `[slots][batch][stride]`: padding, the input, `h`, padding; `h` is aligned to 64 bytes.
    private let xh = AlignedFloats()
    /// `[slots][batch][padded]`: the undropped `h`, when recurrent dropout makes it differ from what the gates read.
    private let plainH = AlignedFloats()
    /// `[slots][batch][padded]`.
    private let c = AlignedFloats()
    /// `[timesteps][batch][gatesStride]`: `[blocks][i f c o × 16]`, padding.
    private let gates = AlignedFloats()
    /// `[timesteps][batch][padded]`.
    private let tanhC = AlignedFloats()
    /// `[timesteps][batch][blocks][5 × 16]`, if the cell needs them.
    private let slopes = AlignedFloats()
    private let dh = AlignedFloats()
    private let dc = AlignedFloats()
    private let expanded = AlignedFloats()

    init(_ cell: PackedCell) {
        self.cell = cell
        pass = LSTMPass(
            batch: 0, timesteps: 0, goBackwards: false, returnSequences: false, zeroOutputForMask: false, mask: nil,
            dropout: nil, isKept: false)
    }

    private var padded: Int { cell.blocks * 16 }
    private var hOffset: Int { (cell.inputDepth + 15) / 16 * 16 }
    private var xOffset: Int { hOffset - cell.inputDepth }
    /// An odd number of cache lines, like ``PackedCell/gatesStride``.
    private var stride: Int { ((hOffset + cell.hiddenDepth + 15) / 16 | 1) * 16 }
    private var hasSeparateH: Bool { pass.dropout?.hidden != nil }

    private func slot(_ step: Int) -> Int { pass.isKept ? step : step % 2 }
    private func xhAt(_ step: Int) -> UnsafeMutablePointer<Float> { xh.base + slot(step) * pass.batch * stride }
    private func cAt(_ step: Int) -> UnsafeMutablePointer<Float> { c.base + slot(step) * pass.batch * padded }
    private func hAt(_ step: Int) -> (base: UnsafeMutablePointer<Float>, stride: Int) {
        hasSeparateH
            ? (plainH.base + slot(step) * pass.batch * padded, padded) : (xhAt(step) + hOffset, stride)
    }

    private func reserve(_ next: LSTMPass) {
        let hasSameLayout =
            next.batch == pass.batch && next.timesteps == pass.timesteps && next.isKept == pass.isKept
            && (next.dropout?.hidden == nil) == (pass.dropout?.hidden == nil)
        pass = next
        if hasSameLayout { return }
        let slots = next.isKept ? next.timesteps + 1 : 2
        xh.clear(slots * next.batch * stride)
        c.clear(slots * next.batch * padded)
        if hasSeparateH { plainH.clear(slots * next.batch * padded) }
        guard next.isKept else { return }
        let rows = next.timesteps * next.batch
        gates.clear(rows * cell.gatesStride)
        tanhC.clear(rows * padded)
        if cell.needsSlopes { slopes.clear(rows * cell.blocks * 80) }
    }

    // MARK: Forward

    /// Runs forward over x `[batch, timesteps, inputs]`.
    ///
    /// Starts from h and c `[batch, units]`, which become the final states; writes y `[batch, timesteps, units]` or
    /// `[batch, units]`.
    func forward(
        _ next: LSTMPass, _ x: UnsafePointer<Float>, h: inout [Float], c: inout [Float],
        y: UnsafeMutablePointer<Float>
    ) {
        reserve(next)
        let units = cell.units
        for row in 0..<pass.batch {
            let start = hAt(0)
            for unit in 0..<units {
                start.base[row * start.stride + unit] = h[row * units + unit]
                cAt(0)[row * padded + unit] = c[row * units + unit]
            }
        }
        cell.withCell { kernels, cell in
            for step in 0..<pass.timesteps {
                fill(step, x)
                run(step, kernels, cell)
                if pass.mask != nil { restoreMaskedStates(step) }
                writeOutput(step, y)
            }
        }
        let end = hAt(pass.timesteps)
        for row in 0..<pass.batch {
            for unit in 0..<units {
                h[row * units + unit] = end.base[row * end.stride + unit]
                c[row * units + unit] = cAt(pass.timesteps)[row * padded + unit]
            }
        }
    }

    /// Copies the input of `step` next to `h`, through the dropout masks if there are any.
    private func fill(_ step: Int, _ x: UnsafePointer<Float>) {
        let (inputs, batch, timesteps, stride) = (cell.inputs, pass.batch, pass.timesteps, self.stride)
        var from = x + pass.time(step) * inputs
        var to = xhAt(step) + xOffset
        if let dropout = pass.dropout { return fill(step, from, dropout) }
        for _ in 0..<batch {
            // Only a few floats: a function call would cost more than the copy.
            for input in 0..<inputs { to[input] = from[input] }
            from += timesteps * inputs
            to += stride
        }
    }

    private func fill(_ step: Int, _ x: UnsafePointer<Float>, _ dropout: DropoutMasks) {
        let (inputs, units, batch) = (cell.inputs, cell.units, pass.batch)
        let h = hAt(step)
        for row in 0..<batch {
            let (from, to) = (x + row * pass.timesteps * inputs, xhAt(step) + row * stride + xOffset)
            if let mask = dropout.inputs {
                DropoutMasks.expand(mask, copies: dropout.copies, row: row, batch: batch, width: inputs, from, to: to)
            } else {
                to.update(from: from, count: inputs)
            }
            guard let mask = dropout.hidden else { continue }
            DropoutMasks.expand(
                mask, copies: dropout.copies, row: row, batch: batch, width: units, h.base + row * h.stride,
                to: to + cell.inputDepth)
        }
    }

    private func run(_ step: Int, _ kernels: UnsafePointer<crk_kernels>, _ cell: UnsafePointer<crk_cell>) {
        let (after, rows, blocks) = (hAt(step + 1), step * pass.batch, self.cell.blocks)
        var arrays = crk_step(
            xh: xhAt(step) + xOffset, xh_stride: stride, c_before: cAt(step), c_before_stride: padded,
            c: cAt(step + 1), c_stride: padded, h: after.base, h_stride: after.stride,
            gates: pass.isKept ? gates.base + rows * self.cell.gatesStride : nil,
            tanh_c: pass.isKept ? tanhC.base + rows * padded : nil,
            slopes: pass.isKept && self.cell.needsSlopes ? slopes.base + rows * blocks * 80 : nil)
        kernels.pointee.step(cell, pass.batch, &arrays)
    }

    /// Restores the states of masked rows to those before the step.
    private func restoreMaskedStates(_ step: Int) {
        let (before, after) = (hAt(step), hAt(step + 1))
        for row in 0..<pass.batch where pass.isMasked(row, step) {
            (after.base + row * after.stride).update(from: before.base + row * before.stride, count: cell.units)
            (cAt(step + 1) + row * padded).update(from: cAt(step) + row * padded, count: cell.units)
        }
    }

    private func writeOutput(_ step: Int, _ y: UnsafeMutablePointer<Float>) {
        guard let first = pass.output(step) else { return }
        let (h, units, rowsPerSample) = (hAt(step + 1), cell.units, pass.outputStride)
        for row in 0..<pass.batch {
            (y + (first + row * rowsPerSample) * units).update(from: h.base + row * h.stride, count: units)
        }
        guard pass.zeroOutputForMask, pass.mask != nil else { return }
        for row in 0..<pass.batch where pass.isMasked(row, step) {
            (y + (first + row * rowsPerSample) * units).update(repeating: 0, count: units)
        }
    }

    // MARK: Backward

    /// The matrices that a backward pass reads and the gradients that it accumulates.
    struct Backward {
        let recurrentBack: PackedMatrix
        /// nil if the gradient of the input is not wanted.
        let inputBack: PackedMatrix?
        /// One row per unit of the cell's depth; accumulated.
        let kernel: PackedGradient
        /// One row; accumulated.
        let bias: PackedGradient
    }

    /// The number of steps whose gate derivatives are accumulated together, while they are still in the cache.
    private static let chunk = 4

    /// Backpropagates dY, shaped like the output, through time; no gradient flows into the initial states.
    ///
    /// Writes dX `[batch, timesteps, inputs]`. Consumes the tape: the saved gates are overwritten by their derivatives.
    func backward(_ to: Backward, _ dY: UnsafePointer<Float>, dX: UnsafeMutablePointer<Float>?) {
        let (batch, rowLength) = (pass.batch, cell.gatesStride)
        dh.clear(2 * batch * padded)
        dc.clear(batch * padded)
        var (now, next) = (dh.base, dh.base + batch * padded)
        var end = pass.timesteps
        for step in (0..<pass.timesteps).reversed() {
            add(dY, step, to: now)
            gateGradients(step, now)
            let d = gates.base + step * batch * rowLength
            if let dX, let inputBack = to.inputBack { inputGradient(step, d, inputBack, dX) }
            if step > 0 { hiddenGradient(step, d, to.recurrentBack, from: now, to: next) }
            if end - step == Self.chunk || step == 0 {
                let rows = (end - step) * batch
                to.kernel.add(rows, xhAt(step) + xOffset, stride: stride, d, apart: rowLength)
                var one: Float = 1
                to.bias.add(rows, &one, stride: 0, d, apart: rowLength)
                end = step
            }
            swap(&now, &next)
        }
    }

    private func add(_ dY: UnsafePointer<Float>, _ step: Int, to dh: UnsafeMutablePointer<Float>) {
        guard let first = pass.output(step) else { return }
        let (units, padded, rowsPerSample) = (cell.units, self.padded, pass.outputStride)
        let skipsMasked = pass.zeroOutputForMask && pass.mask != nil
        for row in 0..<pass.batch {
            if skipsMasked, pass.isMasked(row, step) { continue }
            let (from, to) = (dY + (first + row * rowsPerSample) * units, dh + row * padded)
            for unit in 0..<units { to[unit] += from[unit] }
        }
    }

    private func gateGradients(_ step: Int, _ dh: UnsafeMutablePointer<Float>) {
        let (rows, blocks) = (step * pass.batch, cell.blocks)
        cell.withCell { kernels, cell in
            let slopes = self.cell.needsSlopes ? slopes.base + rows * blocks * 80 : nil
            func run(_ mask: UnsafePointer<UInt8>?) {
                kernels.pointee.step_back(
                    cell, pass.batch, gates.base + rows * self.cell.gatesStride, tanhC.base + rows * padded, slopes,
                    cAt(step), dh, dc.base, mask, pass.timesteps)
            }
            guard let mask = pass.mask else { return run(nil) }
            mask.values.withUnsafeBufferPointer { run($0.baseAddress.map { $0 + pass.time(step) }) }
        }
    }

    /// The gradient with respect to `h` before any step but the first; a masked row passes its gradient through
    /// unchanged.
    private func hiddenGradient(
        _ step: Int, _ d: UnsafePointer<Float>, _ back: PackedMatrix, from now: UnsafeMutablePointer<Float>,
        to next: UnsafeMutablePointer<Float>
    ) {
        let (units, batch) = (cell.units, pass.batch)
        if let dropout = pass.dropout, let mask = dropout.hidden {
            expanded.reserve(batch * back.columns)
            back.multiply(batch, d, stride: cell.gatesStride, to: expanded.base, stride: back.columns)
            for row in 0..<batch {
                DropoutMasks.contract(
                    mask, copies: dropout.copies, row: row, batch: batch, width: units,
                    expanded.base + row * back.columns, to: next + row * padded)
            }
        } else {
            var ahead = crk_ahead(
                gates: d - batch * cell.gatesStride, tanh_c: tanhC.base + (step - 1) * batch * padded,
                c_before: cAt(step - 1), lines: batch * cell.gatesStride / 16)
            back.multiply(batch, d, stride: cell.gatesStride, to: next, stride: padded, ahead: &ahead)
        }
        if pass.mask == nil { return }
        for row in 0..<batch where pass.isMasked(row, step) {
            (next + row * padded).update(from: now + row * padded, count: units)
        }
    }

    private func inputGradient(
        _ step: Int, _ d: UnsafePointer<Float>, _ back: PackedMatrix, _ dX: UnsafeMutablePointer<Float>
    ) {
        let (inputs, batch, time) = (cell.inputs, pass.batch, pass.time(step))
        guard let dropout = pass.dropout, let mask = dropout.inputs else {
            let to = dX + time * inputs
            back.multiply(batch, d, stride: cell.gatesStride, to: to, stride: pass.timesteps * inputs)
            return
        }
        expanded.reserve(batch * back.columns)
        back.multiply(batch, d, stride: cell.gatesStride, to: expanded.base, stride: back.columns)
        for row in 0..<batch {
            DropoutMasks.contract(
                mask, copies: dropout.copies, row: row, batch: batch, width: inputs, expanded.base + row * back.columns,
                to: dX + (row * pass.timesteps + time) * inputs)
        }
    }
}
