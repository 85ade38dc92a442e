import{S as l,ga as e}from"./chunk-XUXAK3CM.js";var d=({text:n})=>n?e("span",{lang:"en",children:l(n)}):null;export{d as a};
