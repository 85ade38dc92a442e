import{S as l,ha as e}from"./chunk-S4UO2ER3.js";var d=({text:n})=>n?e("span",{lang:"en",children:l(n)}):null;export{d as a};
